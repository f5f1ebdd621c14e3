/*
 * access.h
 *		Who calls, and what that role may see and do.
 */
#ifndef SHARECOLLAB_ACCESS_H
#define SHARECOLLAB_ACCESS_H

#include "utils/snapshot.h"

/* roles of a party in a pool, as bits; of the caller, all of its parties' */
#define POOL_STEWARD		0x01
#define POOL_PROVIDER		0x02
#define POOL_CONSUMER		0x04
#define POOL_AUDITOR		0x08
#define POOL_INVITED		0x10	/* to any of them, and has not accepted */
#define POOL_OVERSEER		(POOL_STEWARD | POOL_AUDITOR)

/* and in a project */
#define PROJECT_OWNER		0x01
#define PROJECT_MAINTAINER	0x02
#define PROJECT_CONTRIBUTOR	0x04
#define PROJECT_MANAGER		(PROJECT_OWNER | PROJECT_MAINTAINER)

/* another one whenever what roles may has to be looked up again */
extern uint64 access_version;

extern Oid	calling_role(void);
extern text *caller_name(void);
extern Oid	become_owner(int *context);
extern bool is_operator(void);
extern bool acts_for(int64 party_id);
extern bool knows_party(int64 party_id);
extern int	pool_roles(int64 pool_id);
extern int	project_roles(int64 project_id);
extern int	acting_parties(int64 **party_ids);
extern bool may_see(const char *table, int64 id);

extern int64 acting_party(text *name, Snapshot snapshot);
extern int64 pool_for(text *name, int roles, Snapshot snapshot);
extern int64 project_for(text *name, int roles, Snapshot snapshot);
extern void require_pool_role(int64 pool_id, int roles, const char *name);
extern int64 books_for(text *name, Snapshot snapshot);
extern void require_source(text *source, text *pool_name);
extern void require_member(int64 pool_id, int64 party_id, const char *role, text *pool_name, text *party_name);
extern void require_project_role(int64 project_id, int roles, const char *name);

#endif							/* SHARECOLLAB_ACCESS_H */
