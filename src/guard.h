/*
 * guard.h
 *		Triggers that keep facts as they are, and let a restore through.
 */
#ifndef SHARECOLLAB_GUARD_H
#define SHARECOLLAB_GUARD_H

#include "commands/trigger.h"

extern TriggerData *require_trigger(FunctionCallInfo fcinfo, const char *table);
extern TriggerData *require_insert_trigger(FunctionCallInfo fcinfo, const char *function);
extern bool is_restore(TriggerData *trigger);

#endif							/* SHARECOLLAB_GUARD_H */
