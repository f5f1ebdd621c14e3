/*
 * digest.h
 *		SHA-256 of bytes.
 */
#ifndef SHARECOLLAB_DIGEST_H
#define SHARECOLLAB_DIGEST_H

#include "common/sha2.h"
#include "lib/stringinfo.h"

extern void digest_bytes(const StringInfo bytes, uint8 *result);

#endif							/* SHARECOLLAB_DIGEST_H */
