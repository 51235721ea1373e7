/* SPDX-License-Identifier: Apache-2.0 */
/* crypto.c: libgcrypt set up, and a hash for identifiers. */
#include "base/crypto.h"

#include <gcrypt.h>
#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_ready;

/*
 * A process sets libgcrypt up once, and another library in it may have done so. Nothing here is secret: locked memory, which
 * needs rights, is not wanted.
 */
static void set_up(void)
{
    is_ready = gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P);
    if (is_ready || !gcry_check_version(NULL))
        return;
    (void)gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    is_ready = gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0) == 0;
}

bool wspi_crypto_ready(void)
{
    return pthread_once(&once, set_up) == 0 && is_ready;
}

bool wspi_sha1(const void *p, size_t n, uint8_t out[WSPI_SHA1_SIZE])
{
    bool can = wspi_crypto_ready() && gcry_md_test_algo(GCRY_MD_SHA1) == 0;

    if (can) /* it ends the process where it cannot */
        gcry_md_hash_buffer(GCRY_MD_SHA1, out, p, n);
    return can;
}
