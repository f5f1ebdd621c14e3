/*
 * activity.c
 *		The type "activity": text and binary input and output, comparison, what
 *		is read from it, and what becomes of its parties.
 *
 * The aggregates are in activity_agg.c.
 */
#include "postgres.h"

#include "compat.h"
#include "access/htup_details.h"
#include "activity.h"
#include "funcapi.h"
#include "json_cursor.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "tally.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"

/* indexes of profile_units */
#define LARGEST_UNIT	5

const PartyMapKind activity_kind = {"activity", 5, true, LARGEST_UNIT};

void
activity_read(Datum activity, PartyMap *map)
{
	party_map_read(activity, &activity_kind, map);
}

void
activity_overflow(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("number of contributions or lines out of range")));
	pg_unreachable();
}

/* Memory for so many rows. */
ActivityRow *
activity_rows(int64 n)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * sizeof(ActivityRow));
}

/*
 * Make an activity of rows in order of their parties; those of one party are
 * merged.
 */
static struct varlena *
make_ordered(const ActivityRow *rows, PartyOrder *order, int64 nrows)
{
	uint64	   *columns[5];
	uint64		base = 0;
	int			unit = LARGEST_UNIT;
	int64		n = 0;
	struct varlena *result;

	columns[0] = MemoryContextAllocHuge(CurrentMemoryContext, Max(nrows, 1) * 5 * sizeof(uint64));
	for (int i = 1; i < 5; i++)
		columns[i] = columns[i - 1] + nrows;

	for (int64 i = 0; i < nrows;)
	{
		PartyOrder	party = order[i];
		Deeds		deeds = rows[party.row].deeds;

		while (++i < nrows && order[i].prefix == party.prefix &&
			   party_compare(order[i].key, party.key) == 0)
			deeds_add(&deeds, &rows[order[i].row].deeds);
		order[n] = party;
		columns[0][n] = (uint64) deeds.count;
		columns[1][n] = (uint64) deeds.added;
		columns[2][n] = (uint64) deeds.removed;
		columns[3][n] = (uint64) deeds.first;
		columns[4][n] = (uint64) deeds.last - (uint64) deeds.first;
		if (n == 0 || deeds.first < (TimestampTz) base)
			base = (uint64) deeds.first;
		n++;
	}

	/* unsigned: the range of timestamps is wider than an int64 */
	for (int64 i = 0; i < n; i++)
	{
		columns[3][i] -= base;
		while (columns[3][i] % (uint64) profile_units[unit] != 0 ||
			   columns[4][i] % (uint64) profile_units[unit] != 0)
			unit--;
	}
	for (int64 i = 0; i < n && unit > 0; i++)
	{
		columns[3][i] /= (uint64) profile_units[unit];
		columns[4][i] /= (uint64) profile_units[unit];
	}
	if (n == 0)
		unit = 0;
	result = party_map_pack(&activity_kind, unit, base, order, n, columns);
	pfree(columns[0]);
	pfree(order);
	return result;
}

/* The same of rows in any order. */
struct varlena *
activity_make(const ActivityRow *rows, int64 n)
{
	return make_ordered(rows, party_order(rows, sizeof(ActivityRow), n), n);
}

/* ----------
 * Text input: a JSON object from parties to objects
 * ----------
 */

/* what is wrong with what a party is said to have done; NULL if nothing is */
static const char *
deeds_fault(const Deeds *deeds)
{
	if (deeds->count < 1)
		return "The count must be at least 1.";
	if (deeds->added < 0 || deeds->removed < 0)
		return "Lines added and removed must not be negative.";
	if (deeds->first > deeds->last)
		return "The first contribution must not be after the last one.";
	if (deeds->count == 1 && deeds->first != deeds->last)
		return "The first contribution is the last one if there is only one.";
	return NULL;
}

static bool
read_whole_number(JsonCursor *cursor, int64 *result)
{
	JsonCursor	start = *cursor;
	Decimal		number;

	if (!json_decimal(cursor, &number))
		return false;
	*result = number.mantissa;
	return number.scale == 0 || json_malformed(&start, "a whole number");
}

static bool
read_instant(JsonCursor *cursor, TimestampTz *result)
{
	PartyKey	string;
	char		buf[MAXDATELEN + 1];
	JsonCursor	start = *cursor;

	if (!json_string(cursor, "an instant in double quotes", &string))
		return false;
	if (string.len > MAXDATELEN)
		return json_malformed(&start, "an instant in double quotes");
	memcpy(buf, string.name, string.len);
	buf[string.len] = '\0';
	return instant_in(buf, cursor->context, result);
}

/* {"count": 12, "added": 340, "removed": 25, "first": "...", "last": "..."} */
static bool
read_deeds(JsonCursor *cursor, Deeds *deeds)
{
	static const char *const fields[] = {"count", "added", "removed", "first", "last"};
	bool		seen[lengthof(fields)] = {false};
	const char *fault;

	memset(deeds, 0, sizeof(Deeds));
	if (!json_expect(cursor, '{', "\"{\""))
		return false;
	do
	{
		JsonCursor	start = *cursor;
		PartyKey	field;
		int			i = 0;

		if (!json_string(cursor, "\"count\", \"added\", \"removed\", \"first\" or \"last\"", &field))
			return false;
		while (i < (int) lengthof(fields) &&
			   (field.len != (int64) strlen(fields[i]) || memcmp(field.name, fields[i], field.len) != 0))
			i++;
		if (i == lengthof(fields))
			return json_malformed(&start, "\"count\", \"added\", \"removed\", \"first\" or \"last\"");
		if (seen[i])
			return json_duplicate(cursor, "field", field);
		seen[i] = true;
		if (!json_expect(cursor, ':', "\":\""))
			return false;
		if (!(i == 0 ? read_whole_number(cursor, &deeds->count) :
			  i == 1 ? read_whole_number(cursor, &deeds->added) :
			  i == 2 ? read_whole_number(cursor, &deeds->removed) :
			  i == 3 ? read_instant(cursor, &deeds->first) : read_instant(cursor, &deeds->last)))
			return false;
	} while (json_next_is(cursor, ','));
	if (!seen[0] || !seen[3] || !seen[4])
		return json_malformed(cursor, "\"count\", \"first\" and \"last\" of each party, before the \"}\"");
	if (!json_expect(cursor, '}', "\",\" or \"}\""))
		return false;

	fault = deeds_fault(deeds);
	if (fault != NULL)
		ereturn(cursor->context, false,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("malformed activity literal: \"%s\"", cursor->literal),
				 errdetail("%s", fault)));
	return true;
}

PG_FUNCTION_INFO_V1(activity_in);
Datum
activity_in(PG_FUNCTION_ARGS)
{
	JsonCursor	cursor = {0};
	int64		size = 16;
	int64		n = 0;
	ActivityRow *rows = activity_rows(size);
	PartyOrder *order;

	cursor.literal = cursor.p = PG_GETARG_CSTRING(0);
	cursor.type = activity_kind.name;
	cursor.hint = "An activity is a JSON object from parties to what they did, such as '{\"alice\": {\"count\": 2, \"added\": 30, \"removed\": 4, \"first\": \"2026-01-03 10:00:00+00\", \"last\": \"2026-05-30 12:00:00+00\"}}'.";
	cursor.context = fcinfo->context;

	if (!json_expect(&cursor, '{', "\"{\""))
		PG_RETURN_NULL();
	if (!json_next_is(&cursor, '}'))
	{
		do
		{
			CHECK_FOR_INTERRUPTS();
			if (n == size)
			{
				size *= 2;
				rows = repalloc_huge(rows, size * sizeof(ActivityRow));
			}
			if (!json_string(&cursor, n == 0 ? "\"}\" or a party in double quotes" : "a party in double quotes",
							 &rows[n].key) ||
				!json_expect(&cursor, ':', "\":\"") ||
				!read_deeds(&cursor, &rows[n].deeds))
				PG_RETURN_NULL();
			n++;
		} while (json_next_is(&cursor, ','));
		if (!json_expect(&cursor, '}', "\",\" or \"}\""))
			PG_RETURN_NULL();
	}
	if (!json_expect_end(&cursor))
		PG_RETURN_NULL();

	order = party_order(rows, sizeof(ActivityRow), n);
	for (int64 i = 1; i < n; i++)
	{
		if (party_compare(order[i - 1].key, order[i].key) == 0)
		{
			json_duplicate(&cursor, "party", order[i].key);
			PG_RETURN_NULL();
		}
	}
	PG_RETURN_POINTER(make_ordered(rows, order, n));
}

PG_FUNCTION_INFO_V1(activity_out);
Datum
activity_out(PG_FUNCTION_ARGS)
{
	PartyMap	map;
	StringInfoData out;

	activity_read(PG_GETARG_DATUM(0), &map);
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	for (int i = 0; i < map.n; i++)
	{
		Deeds		deeds;
		char		first[MAXDATELEN + 1];
		char		last[MAXDATELEN + 1];

		CHECK_FOR_INTERRUPTS();
		if (i > 0)
			appendStringInfoString(&out, ", ");
		activity_deeds(&map, i, &deeds);
		instant_out(deeds.first, first);
		instant_out(deeds.last, last);
		json_out_string(&out, party_map_key(&map, i));
		appendStringInfo(&out, ": {\"count\": " INT64_FORMAT ", \"added\": " INT64_FORMAT
						 ", \"removed\": " INT64_FORMAT ", \"first\": \"%s\", \"last\": \"%s\"}",
						 deeds.count, deeds.added, deeds.removed, first, last);
	}
	appendStringInfoChar(&out, '}');
	PG_RETURN_CSTRING(out.data);
}

/*
 * Binary input and output: version, number of parties, then of each the length
 * of its name, the name (text in the encoding of the client), count, lines
 * added and removed (int64), first and last (timestamptz), in network byte
 * order.
 */
PG_FUNCTION_INFO_V1(activity_recv);
Datum
activity_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(buf);
	int			n;
	ActivityRow *rows;
	PartyOrder *order;

	if (version != PARTY_MAP_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unsupported activity version number %d", version)));
	n = party_message_count(buf, &activity_kind, sizeof(int32) + 5 * sizeof(int64));
	rows = activity_rows(n);
	for (int i = 0; i < n; i++)
	{
		Deeds	   *deeds = &rows[i].deeds;
		const char *fault;

		CHECK_FOR_INTERRUPTS();
		rows[i].key = party_message_key(buf);
		deeds->count = pq_getmsgint64(buf);
		deeds->added = pq_getmsgint64(buf);
		deeds->removed = pq_getmsgint64(buf);
		deeds->first = pq_getmsgint64(buf);
		deeds->last = pq_getmsgint64(buf);
		fault = deeds_fault(deeds);
		if (fault == NULL &&
			!((IS_VALID_TIMESTAMP(deeds->first) || TIMESTAMP_NOT_FINITE(deeds->first)) &&
			  (IS_VALID_TIMESTAMP(deeds->last) || TIMESTAMP_NOT_FINITE(deeds->last))))
			fault = "An instant is out of range.";
		if (fault != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("invalid activity of party \"%.*s\"", (int) rows[i].key.len, rows[i].key.name),
					 errdetail("%s", fault)));
	}
	order = party_order(rows, sizeof(ActivityRow), n);
	party_message_order(order, n, &activity_kind);
	PG_RETURN_POINTER(make_ordered(rows, order, n));
}

PG_FUNCTION_INFO_V1(activity_send);
Datum
activity_send(PG_FUNCTION_ARGS)
{
	PartyMap	map;
	StringInfoData buf;

	activity_read(PG_GETARG_DATUM(0), &map);
	pq_begintypsend(&buf);
	pq_sendbyte(&buf, PARTY_MAP_VERSION);
	pq_sendint32(&buf, map.n);
	for (int i = 0; i < map.n; i++)
	{
		Deeds		deeds;

		activity_deeds(&map, i, &deeds);
		party_send_key(&buf, party_map_key(&map, i));
		pq_sendint64(&buf, deeds.count);
		pq_sendint64(&buf, deeds.added);
		pq_sendint64(&buf, deeds.removed);
		pq_sendint64(&buf, deeds.first);
		pq_sendint64(&buf, deeds.last);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* ----------
 * Comparison: by the first party that makes a difference, by being there or
 * not, by count, lines added, lines removed, first and last
 * ----------
 */
static void
pair_read(PartyPair *pair, Datum a, Datum b)
{
	activity_read(a, &pair->a);
	activity_read(b, &pair->b);
	pair->next_a = pair->next_b = 0;
}

static int
activity_compare(Datum a, Datum b)
{
	PartyPair	pair;

	pair_read(&pair, a, b);
	while (party_pair_next(&pair))
	{
		Deeds		x;
		Deeds		y;

		if (pair.i < 0 || pair.j < 0)
			return pair.i < 0 ? -1 : 1;
		activity_deeds(&pair.a, pair.i, &x);
		activity_deeds(&pair.b, pair.j, &y);
#define BY(field) \
		if (x.field != y.field) \
			return x.field < y.field ? -1 : 1
		BY(count);
		BY(added);
		BY(removed);
		BY(first);
		BY(last);
#undef BY
	}
	return 0;
}

PG_FUNCTION_INFO_V1(activity_cmp);
Datum
activity_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(party_map_compare_args(fcinfo, activity_compare));
}

#define ACTIVITY_COMPARISON(name, op) \
PG_FUNCTION_INFO_V1(name); \
Datum \
name(PG_FUNCTION_ARGS) \
{ \
	PG_RETURN_BOOL(party_map_compare_args(fcinfo, activity_compare) op 0); \
}

ACTIVITY_COMPARISON(activity_lt, <)
ACTIVITY_COMPARISON(activity_le, <=)
ACTIVITY_COMPARISON(activity_gt, >)
ACTIVITY_COMPARISON(activity_ge, >=)

/* ----------
 * Activities from activities
 * ----------
 */
PG_FUNCTION_INFO_V1(activity_add);
Datum
activity_add(PG_FUNCTION_ARGS)
{
	PartyPair	pair;
	ActivityRow *rows;
	int64		n = 0;

	pair_read(&pair, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
	rows = activity_rows((int64) pair.a.n + pair.b.n);
	while (party_pair_next(&pair))
	{
		Deeds		deeds;

		rows[n].key = pair.key;
		memset(&rows[n].deeds, 0, sizeof(Deeds));
		if (pair.i >= 0)
		{
			activity_deeds(&pair.a, pair.i, &deeds);
			deeds_add(&rows[n].deeds, &deeds);
		}
		if (pair.j >= 0)
		{
			activity_deeds(&pair.b, pair.j, &deeds);
			deeds_add(&rows[n].deeds, &deeds);
		}
		n++;
	}
	PG_RETURN_POINTER(activity_make(rows, n));
}

PG_FUNCTION_INFO_V1(activity_rekey);
Datum
activity_rekey(PG_FUNCTION_ARGS)
{
	Jsonb	   *mapping = PG_GETARG_JSONB_P(1);
	PartyMap	map;
	ActivityRow *rows;
	int64		n = 0;

	party_require_mapping(mapping);
	activity_read(PG_GETARG_DATUM(0), &map);
	rows = activity_rows(map.n);
	for (int i = 0; i < map.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		rows[n].key = party_map_key(&map, i);
		activity_deeds(&map, i, &rows[n].deeds);
		n += party_mapped(mapping, &rows[n].key);
	}
	PG_RETURN_POINTER(activity_make(rows, n));
}

/*
 * The part of an activity that is of some parties.
 */
typedef struct Wanted
{
	Span		during;
	TimestampTz since;
	int64		fewer_than;
} Wanted;

static struct varlena *
activity_part(Datum activity, bool (*is_wanted) (const Deeds *deeds, const Wanted *wanted),
			  const Wanted *wanted)
{
	PartyMap	map;
	ActivityRow *rows;
	int64		n = 0;

	activity_read(activity, &map);
	rows = activity_rows(map.n);
	for (int i = 0; i < map.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		activity_deeds(&map, i, &rows[n].deeds);
		if (is_wanted(&rows[n].deeds, wanted))
			rows[n++].key = party_map_key(&map, i);
	}
	return activity_make(rows, n);
}

static bool
is_newcomer(const Deeds *deeds, const Wanted *wanted)
{
	return deeds->first >= wanted->during.from &&
		(deeds->first < wanted->during.until || wanted->during.until == DT_NOEND);
}

PG_FUNCTION_INFO_V1(activity_newcomers);
Datum
activity_newcomers(PG_FUNCTION_ARGS)
{
	Wanted		wanted = {.during = span_arg(PG_GETARG_DATUM(1))};

	PG_RETURN_POINTER(activity_part(PG_GETARG_DATUM(0), is_newcomer, &wanted));
}

static bool
is_inactive(const Deeds *deeds, const Wanted *wanted)
{
	return deeds->last < wanted->since;
}

PG_FUNCTION_INFO_V1(activity_inactive);
Datum
activity_inactive(PG_FUNCTION_ARGS)
{
	Wanted		wanted = {.since = PG_GETARG_TIMESTAMPTZ(1)};

	PG_RETURN_POINTER(activity_part(PG_GETARG_DATUM(0), is_inactive, &wanted));
}

static bool
is_occasional(const Deeds *deeds, const Wanted *wanted)
{
	return deeds->count < wanted->fewer_than && is_newcomer(deeds, wanted);
}

PG_FUNCTION_INFO_V1(activity_occasional);
Datum
activity_occasional(PG_FUNCTION_ARGS)
{
	Wanted		wanted = {
		.during = span_arg(PG_GETARG_DATUM(2)),
		.fewer_than = PG_GETARG_INT32(1)
	};

	PG_RETURN_POINTER(activity_part(PG_GETARG_DATUM(0), is_occasional, &wanted));
}

/*
 * Those who lead by count, between two fractions of the total, as tally_band().
 */
PG_FUNCTION_INFO_V1(activity_band);
Datum
activity_band(PG_FUNCTION_ARGS)
{
	Decimal		above = tally_fraction_arg(PG_GETARG_DATUM(1));
	Decimal		upto = tally_fraction_arg(PG_GETARG_DATUM(2));
	PartyMap	map;
	TallyRank  *ranks;
	ActivityRow *rows;
	int128		total = 0;
	int			until;
	int64		n = 0;

	activity_read(PG_GETARG_DATUM(0), &map);
	ranks = MemoryContextAllocHuge(CurrentMemoryContext, Max((int64) map.n, 1) * sizeof(TallyRank));
	for (int i = 0; i < map.n; i++)
	{
		ranks[i].quantity = (int64) party_map_value(&map, 0, i);
		ranks[i].i = i;
		total += ranks[i].quantity;
	}
	tally_order_ranks(ranks, map.n);
	until = tally_reaching(ranks, map.n, total, upto);
	rows = activity_rows(until);
	for (int i = tally_reaching(ranks, map.n, total, above); i < until; i++)
	{
		rows[n].key = party_map_key(&map, ranks[i].i);
		activity_deeds(&map, ranks[i].i, &rows[n++].deeds);
	}
	PG_RETURN_POINTER(activity_make(rows, n));
}

/* ----------
 * What is read from an activity
 * ----------
 */
PG_FUNCTION_INFO_V1(activity_parties);
Datum
activity_parties(PG_FUNCTION_ARGS)
{
	PartyMap	map;

	activity_read(PG_GETARG_DATUM(0), &map);
	PG_RETURN_INT32(map.n);
}

static Datum
column_sum(Datum activity, int column)
{
	PartyMap	map;
	int128		sum = 0;

	activity_read(activity, &map);
	for (int i = 0; i < map.n; i++)
		sum += party_map_value(&map, column, i);
	if (sum > PG_INT64_MAX)
		activity_overflow();
	return Int64GetDatum((int64) sum);
}

PG_FUNCTION_INFO_V1(activity_contributions);
Datum
activity_contributions(PG_FUNCTION_ARGS)
{
	return column_sum(PG_GETARG_DATUM(0), 0);
}

PG_FUNCTION_INFO_V1(activity_lines_added);
Datum
activity_lines_added(PG_FUNCTION_ARGS)
{
	return column_sum(PG_GETARG_DATUM(0), 1);
}

PG_FUNCTION_INFO_V1(activity_lines_removed);
Datum
activity_lines_removed(PG_FUNCTION_ARGS)
{
	return column_sum(PG_GETARG_DATUM(0), 2);
}

PG_FUNCTION_INFO_V1(activity_first_at);
Datum
activity_first_at(PG_FUNCTION_ARGS)
{
	PartyMap	map;

	activity_read(PG_GETARG_DATUM(0), &map);
	if (map.n == 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ((TimestampTz) map.base);
}

PG_FUNCTION_INFO_V1(activity_last_at);
Datum
activity_last_at(PG_FUNCTION_ARGS)
{
	PartyMap	map;
	uint64		latest = 0;

	activity_read(PG_GETARG_DATUM(0), &map);
	if (map.n == 0)
		PG_RETURN_NULL();
	for (int i = 0; i < map.n; i++)
	{
		uint64		last = party_map_value(&map, 3, i) + party_map_value(&map, 4, i);

		latest = Max(latest, last);
	}
	PG_RETURN_TIMESTAMPTZ((TimestampTz) (map.base + latest * profile_units[map.exponent]));
}

/* by_count(activity), by_lines(activity): the tallies in it */
static struct varlena *
projection(Datum activity, bool lines)
{
	PartyMap	map;
	TallyRow   *rows;

	activity_read(activity, &map);
	rows = tally_rows(map.n);
	for (int i = 0; i < map.n; i++)
	{
		rows[i].key = party_map_key(&map, i);
		rows[i].quantity = lines ?
			(int128) party_map_value(&map, 1, i) + party_map_value(&map, 2, i) :
			party_map_value(&map, 0, i);
	}
	return tally_make(rows, map.n, 0);
}

PG_FUNCTION_INFO_V1(activity_by_count);
Datum
activity_by_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(projection(PG_GETARG_DATUM(0), false));
}

PG_FUNCTION_INFO_V1(activity_by_lines);
Datum
activity_by_lines(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(projection(PG_GETARG_DATUM(0), true));
}

/*
 * entries(activity): its parties as rows, which stream.
 */
PG_FUNCTION_INFO_V1(activity_entries);
Datum
activity_entries(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	PartyMap   *map;
	Deeds		deeds;
	Datum		values[6];
	bool		nulls[6] = {false, false, false, false, false, false};
	int			i;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		context = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
		map = palloc(sizeof(PartyMap));
		activity_read(PointerGetDatum(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0))), map);
		if (get_call_result_type(fcinfo, NULL, &context->tuple_desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		context->tuple_desc = BlessTupleDesc(context->tuple_desc);
		context->user_fctx = map;
		MemoryContextSwitchTo(old);
	}

	context = SRF_PERCALL_SETUP();
	map = context->user_fctx;
	if (context->call_cntr >= (uint64) map->n)
		SRF_RETURN_DONE(context);
	i = (int) context->call_cntr;
	activity_deeds(map, i, &deeds);
	values[0] = PointerGetDatum(party_text(party_map_key(map, i)));
	values[1] = Int64GetDatum(deeds.count);
	values[2] = Int64GetDatum(deeds.added);
	values[3] = Int64GetDatum(deeds.removed);
	values[4] = TimestampTzGetDatum(deeds.first);
	values[5] = TimestampTzGetDatum(deeds.last);
	SRF_RETURN_NEXT(context,
					HeapTupleGetDatum(heap_form_tuple(context->tuple_desc, values, nulls)));
}
