/*
 * digest.c
 *		Aggregate rows_sha256(columns): what rows say, as one SHA-256.
 *
 * The bytes that are hashed depend on neither settings, platform nor the
 * server's encoding: values are in the binary format of COPY, which is in
 * network byte order, and text is UTF-8.  They are hashed block by block, each
 * with the hash of those before, so that there may be any number of rows.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "compat.h"
#include "decimal.h"
#include "digest.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

/* a block ends with the row that makes it at least so long */
#define BLOCK_SIZE		65536

typedef struct RowsDigest
{
	StringInfoData block;		/* begins with the hash of the blocks before */
	int			nvalues;
	Oid		   *types;
	FmgrInfo   *out;			/* output in text or binary */
} RowsDigest;

/* PG_SHA256_DIGEST_LENGTH bytes */
void
digest_bytes(const StringInfo bytes, uint8 *result)
{
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);

	if (hash == NULL || pg_cryptohash_init(hash) < 0 ||
		pg_cryptohash_update(hash, (const uint8 *) bytes->data, bytes->len) < 0 ||
		pg_cryptohash_final(hash, result, PG_SHA256_DIGEST_LENGTH) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute a digest")));
	pg_cryptohash_free(hash);
}

static bool
is_text(Oid type)
{
	return type == TEXTOID || type == JSONBOID;
}

static RowsDigest *
begin_digest(FunctionCallInfo fcinfo)
{
	RowsDigest *digest = palloc0(sizeof(RowsDigest));
	MemoryContext context = CurrentMemoryContext;

	digest->nvalues = PG_NARGS() - 1;
	digest->types = palloc(digest->nvalues * sizeof(Oid));
	digest->out = palloc(digest->nvalues * sizeof(FmgrInfo));
	for (int i = 0; i < digest->nvalues; i++)
	{
		Oid			type = getBaseType(get_fn_expr_argtype(fcinfo->flinfo, i + 1));
		Oid			function;
		bool		varlena;

		if (is_text(type))
			getTypeOutputInfo(type, &function, &varlena);
		else
			getTypeBinaryOutputInfo(type, &function, &varlena);
		digest->types[i] = type;
		fmgr_info_cxt(function, &digest->out[i], context);
	}
	initStringInfo(&digest->block);
	enlargeStringInfo(&digest->block, BLOCK_SIZE);
	return digest;
}

static void
add_bytes(StringInfo bytes, const char *data, int len)
{
	pq_sendint32(bytes, len);
	appendBinaryStringInfo(bytes, data, len);
}

#define BOUND_SIZE	(sizeof(int32) + sizeof(int64))

/* as range_send() */
static void
add_range(StringInfo block, RangeType *range)
{
	TypeCacheEntry *typcache = lookup_type_cache(RangeTypeGetOid(range), TYPECACHE_RANGE_INFO);
	RangeBound	bounds[2];
	bool		empty;
	int			len = sizeof(uint8);
	uint8		flags = range_get_flags(range) & (RANGE_EMPTY | RANGE_LB_INC | RANGE_LB_INF | RANGE_UB_INC | RANGE_UB_INF);

	range_deserialize(typcache, range, &bounds[0], &bounds[1], &empty);
	if (!empty)
		len += (bounds[0].infinite ? 0 : BOUND_SIZE) + (bounds[1].infinite ? 0 : BOUND_SIZE);
	pq_sendint32(block, len);
	pq_sendint8(block, flags);
	for (int i = 0; i < 2; i++)
	{
		if (empty || bounds[i].infinite)
			continue;
		pq_sendint32(block, sizeof(int64));
		pq_sendint64(block, DatumGetInt64(bounds[i].val));
	}
}

static void
add_value(RowsDigest *digest, int i, Datum value)
{
	StringInfo	block = &digest->block;

	switch (digest->types[i])
	{
			/* the usual ones, without a detour */
		case BOOLOID:
			pq_sendint32(block, 1);
			pq_sendint8(block, DatumGetBool(value) ? 1 : 0);
			break;
		case INT8OID:
		case TIMESTAMPTZOID:
			pq_sendint32(block, sizeof(int64));
			pq_sendint64(block, DatumGetInt64(value));
			break;
		case TEXTOID:
			if (GetDatabaseEncoding() == PG_UTF8)
			{
				text	   *t = DatumGetTextPP(value);

				add_bytes(block, VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
				break;
			}
			/* FALLTHROUGH */
		case JSONBOID:
			{
				char	   *str = OutputFunctionCall(&digest->out[i], value);
				char	   *utf8 = pg_server_to_any(str, strlen(str), PG_UTF8);

				add_bytes(block, utf8, strlen(utf8));
				break;
			}
		case TSTZRANGEOID:
			add_range(block, DatumGetRangeTypeP(value));
			break;
		case NUMERICOID:
			if (decimal_send_numeric(block, packed_arg(value)))
				break;
			/* FALLTHROUGH */
		default:
			{
				bytea	   *binary = SendFunctionCall(&digest->out[i], value);

				add_bytes(block, VARDATA(binary), VARSIZE(binary) - VARHDRSZ);
				break;
			}
	}
}

PG_FUNCTION_INFO_V1(rows_sha256_transition);
Datum
rows_sha256_transition(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate;
	RowsDigest *digest;

	if (!AggCheckCallContext(fcinfo, &aggregate))
		elog(ERROR, "rows_sha256_transition() called outside of an aggregate");
	if (PG_ARGISNULL(0))
	{
		MemoryContext old = MemoryContextSwitchTo(aggregate);

		digest = begin_digest(fcinfo);
		MemoryContextSwitchTo(old);
	}
	else
		digest = (RowsDigest *) PG_GETARG_POINTER(0);
	for (int i = 0; i < digest->nvalues; i++)
	{
		if (PG_ARGISNULL(i + 1))
			pq_sendint32(&digest->block, (uint32) -1);
		else
			add_value(digest, i, PG_GETARG_DATUM(i + 1));
	}
	if (digest->block.len >= BLOCK_SIZE)
	{
		uint8		hash[PG_SHA256_DIGEST_LENGTH];

		digest_bytes(&digest->block, hash);
		resetStringInfo(&digest->block);
		appendBinaryStringInfo(&digest->block, (const char *) hash, sizeof(hash));
	}
	PG_RETURN_POINTER(digest);
}

PG_FUNCTION_INFO_V1(rows_sha256_final);
Datum
rows_sha256_final(PG_FUNCTION_ARGS)
{
	bytea	   *result;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	result = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	SET_VARSIZE(result, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	digest_bytes(&((RowsDigest *) PG_GETARG_POINTER(0))->block, (uint8 *) VARDATA(result));
	PG_RETURN_BYTEA_P(result);
}
