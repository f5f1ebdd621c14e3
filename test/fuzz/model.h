/*
 * model.h
 *		What a profile should be: a second, naive implementation to compare the
 *		real one with.  It shares no code with src/.
 *
 * Every value is a whole number of 10^-18, the smallest fraction of a profile,
 * in 128 bits; every operation looks at one instant after the other.
 */
#ifndef SHARECOLLAB_FUZZ_MODEL_H
#define SHARECOLLAB_FUZZ_MODEL_H

#include "shim.h"

#define MODEL_SCALE		18

typedef struct ModelStep
{
	int64		at;				/* microseconds, as in timestamptz */
	int128		value;			/* 10^-18 */
} ModelStep;

typedef struct Model
{
	int			n;
	int			size;
	ModelStep  *steps;			/* in order of time, no two neighbours equal, first not 0 */
} Model;

typedef int128 (*ModelOperation) (int128 a, int128 b);

extern int128 model_pow10(int exponent);

/* the decimal that a JSON number is: 0 if it is one, else the reason */
typedef enum ModelNumber
{
	MODEL_NUMBER,
	MODEL_NOT_A_NUMBER,
	MODEL_TOO_LONG
} ModelNumber;

extern ModelNumber model_number(const char *str, size_t len, int128 *result);

/* the fewest decimal places that a value, or all values of a profile, need */
extern int	model_value_scale(int128 value);
extern int	model_scale(const Model *model);

extern void model_init(Model *model, int size);
extern void model_append(Model *model, int64 at, int128 value);
extern int128 model_value_at(const Model *model, int64 at);
extern int	model_compare(const Model *a, const Model *b);

/* has it few enough digits at this scale? */
extern bool model_fits(const Model *model, int scale);

/* false if there is no such profile */
extern bool model_read(const char *str, Model *result);
extern bool model_pointwise(const Model *a, const Model *b, ModelOperation operation, Model *result);
extern bool model_multiply(const Model *a, const Model *b, Model *result);
extern bool model_clip(const Model *model, int64 from, int64 until, Model *result);
extern bool model_shift(const Model *model, int64 by, Model *result);

#endif							/* SHARECOLLAB_FUZZ_MODEL_H */
