/*
 * module.c
 *		What makes the shared library a PostgreSQL module.
 *
 * There is no _PG_init: the extension needs no preloading, no hook, no
 * background worker and no setting, so that managed services can offer it.
 */
#include "postgres.h"

#include "compat.h"

#ifdef PG_MODULE_MAGIC_EXT
PG_MODULE_MAGIC_EXT(.name = "sharecollab", .version = SHARECOLLAB_VERSION);
#else
PG_MODULE_MAGIC;
#endif
