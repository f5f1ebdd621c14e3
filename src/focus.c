/*
 * focus.c
 *		Reads any table or view as rows of FOCUS, the FinOps Open Cost and Usage
 *		Specification.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "funcapi.h"
#include "json_text.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "progress.h"
#include "query.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#define FETCH_ROWS 1000

/* longest numbers that are read as such: what is longer is no amount of money */
#define FOCUS_NUMBER_LENGTH 1000
#define FOCUS_EXPONENT_DIGITS 4

/*
 * How FOCUS writes an instant.  A timestamp without time zone is taken as UTC.
 */
#define DATE_TIME "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'"

/*
 * A query for all rows of a relation, each as one jsonb object.  The columns of
 * the inner query are qualified by an alias, as they may have any name.
 */
static char *
rows_query(Oid relid)
{
	Relation	relation = relation_open(relid, AccessShareLock);
	TupleDesc	tuple_desc = RelationGetDescr(relation);
	const char *separator = "";
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT pg_catalog.to_jsonb(r.*) FROM (SELECT ");
	for (int i = 0; i < tuple_desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tuple_desc, i);
		const char *name = quote_identifier(NameStr(attribute->attname));

		if (attribute->attisdropped)
			continue;
		appendStringInfoString(&sql, separator);
		switch (getBaseType(attribute->atttypid))
		{
			case TIMESTAMPTZOID:
				appendStringInfo(&sql, "pg_catalog.to_char(pg_catalog.timezone('UTC', t.%s), " DATE_TIME ") AS %s",
								 name, name);
				break;
			case TIMESTAMPOID:
			case DATEOID:
				appendStringInfo(&sql, "pg_catalog.to_char(t.%s::pg_catalog.timestamp, " DATE_TIME ") AS %s", name, name);
				break;
			case JSONOID:		/* which holds what jsonb does not */
				appendStringInfo(&sql, "t.%s::pg_catalog.text AS %s", name, name);
				break;
			default:
				appendStringInfo(&sql, "t.%s", name);
		}
		separator = ", ";
	}
	appendStringInfo(&sql, " FROM %s AS t) AS r",
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
												RelationGetRelationName(relation)));
	relation_close(relation, AccessShareLock);
	return sql.data;
}

/* focus_rows(relation) */
PG_FUNCTION_INFO_V1(focus_rows);
Datum
focus_rows(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"relation"};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Portal		cursor;
	int64		position = 0;

	require_arguments(fcinfo, lengthof(names), names);
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	cursor = SPI_cursor_open_with_args(NULL, rows_query(PG_GETARG_OID(0)), 0, NULL, NULL, NULL, true, 0);
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(cursor, true, FETCH_ROWS);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			Datum		values[2];
			bool		nulls[2] = {false, false};

			values[0] = Int64GetDatum(++position);
			values[1] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &nulls[1]);
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		}
		SPI_freetuptable(SPI_tuptable);
		ereport(progress_level(),
				(errmsg("rows read: " INT64_FORMAT, position)));
	}
	SPI_cursor_close(cursor);
	SPI_finish();
	return (Datum) 0;
}

/* json_or_null(value) */
PG_FUNCTION_INFO_V1(json_or_null);
Datum
json_or_null(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);

	if (!is_json_text(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(value);
}

/*
 * A number of n digits; -1 if one of them is none
 */
static int
digits(const char *s, int n)
{
	int			result = 0;

	for (int i = 0; i < n; i++)
	{
		if (s[i] < '0' || s[i] > '9')
			return -1;
		result = result * 10 + (s[i] - '0');
	}
	return result;
}

/* focus_instant(value): 2026-01-31T00:00:00Z */
PG_FUNCTION_INFO_V1(focus_instant);
Datum
focus_instant(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);
	const char *s = VARDATA_ANY(value);
	int			year;
	int			month;
	int			day;
	int			hour;
	int			minute;
	int			second;

	if (VARSIZE_ANY_EXHDR(value) != strlen("2026-01-31T00:00:00Z") ||
		s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[19] != 'Z')
		PG_RETURN_NULL();
	year = digits(s, 4);
	month = digits(s + 5, 2);
	day = digits(s + 8, 2);
	hour = digits(s + 11, 2);
	minute = digits(s + 14, 2);
	second = digits(s + 17, 2);
	if (year < 1 || month < 1 || month > MONTHS_PER_YEAR || day < 1 || day > day_tab[isleap(year)][month - 1] ||
		hour < 0 || hour >= HOURS_PER_DAY || minute < 0 || minute >= MINS_PER_HOUR ||
		second < 0 || second >= SECS_PER_MINUTE)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(((int64) (date2j(year, month, day) - POSTGRES_EPOCH_JDATE) * SECS_PER_DAY +
						   (hour * MINS_PER_HOUR + minute) * SECS_PER_MINUTE + second) * USECS_PER_SEC);
}

/*
 * A run of digits, at least one: where it ends, NULL if there is none
 */
static const char *
skip_digits(const char *s)
{
	const char *start = s;

	while (*s >= '0' && *s <= '9')
		s++;
	return s > start ? s : NULL;
}

/* focus_number(value): 4, -100.2, 35.2E-7 */
PG_FUNCTION_INFO_V1(focus_number);
Datum
focus_number(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);
	char		copy[FOCUS_NUMBER_LENGTH + 1];
	size_t		len = VARSIZE_ANY_EXHDR(value);
	const char *s = copy;

	if (len > FOCUS_NUMBER_LENGTH)
		PG_RETURN_NULL();
	memcpy(copy, VARDATA_ANY(value), len);
	copy[len] = '\0';
	s = skip_digits(*s == '-' ? s + 1 : s);
	if (s && *s == '.')
		s = skip_digits(s + 1);
	if (s && *s == 'E')
	{
		const char *exponent = s + (s[1] == '-' ? 2 : 1);

		s = skip_digits(exponent);
		if (s && s - exponent > FOCUS_EXPONENT_DIGITS)
			PG_RETURN_NULL();
	}
	if (s == NULL || *s != '\0')
		PG_RETURN_NULL();
	PG_RETURN_DATUM(DirectFunctionCall3(numeric_in, CStringGetDatum(copy), ObjectIdGetDatum(InvalidOid),
										Int32GetDatum(-1)));
}
