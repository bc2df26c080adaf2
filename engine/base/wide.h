// SPDX-License-Identifier: Apache-2.0
//
// TOCSIN_WIDE before a function: it is compiled for processors with wider vectors too, and the one
// that fits is taken at run time. Its values are the same. For the few loops over numbers that
// evaluations spend their time in.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TOCSIN_WIDE [[gnu::target_clones("avx2", "default")]]
#else
#define TOCSIN_WIDE
#endif
