// SPDX-License-Identifier: Apache-2.0
// The AMX kernel set as it is, but on emulated tiles, so that processors without AMX test it too.
// Has no test of its own: tensor_test.cpp takes it as one more kernel set. Compiled for AVX-512,
// like the original, and so without any header that is shared with other code.
#if defined(__x86_64__)
#define TEETEE_EMULATED_TILES
#define amx_kernels emulated_amx_kernels
#include "tensor/kernels_amx.cpp"
#endif
