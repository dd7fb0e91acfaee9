/* Loops as people write them in C, for comparison: xoshiro256+ one stream, and 16 interleaved. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

static inline uint64_t rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static uint64_t splitmix(uint64_t *s) {
    uint64_t z = (*s += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Blackman & Vigna's xoshiro256+, scalar. */
double pi_scalar(int64_t n, uint64_t seed) {
    uint64_t s[4];
    int64_t hits = 0;
    for (int i = 0; i < 4; i++) s[i] = splitmix(&seed);
    for (int64_t i = 0; i < n; i++) {
        double xy[2];
        for (int j = 0; j < 2; j++) {
            uint64_t r = s[0] + s[3], t = s[1] << 17;
            s[2] ^= s[0]; s[3] ^= s[1]; s[1] ^= s[2]; s[0] ^= s[3]; s[2] ^= t; s[3] = rotl(s[3], 45);
            xy[j] = (double)(r >> 11) * 0x1p-53;
        }
        hits += xy[0] * xy[0] + xy[1] * xy[1] < 1.0;
    }
    return 4.0 * (double)hits / (double)n;
}

#define L 16
/* The 5-d Gaussian over [-1,1]^5 with 16 interleaved streams that the compiler vectorises. */
double gauss_lanes(int64_t n, uint64_t seed) {
    uint64_t a[L], b[L], c[L], d[L];
    double sum[L] = {0};
    for (int l = 0; l < L; l++) {
        a[l] = splitmix(&seed); b[l] = splitmix(&seed); c[l] = splitmix(&seed); d[l] = splitmix(&seed);
    }
    for (int64_t i = 0; i < n / L; i++) {
        double q[L] = {0};
        for (int k = 0; k < 5; k++)
            for (int l = 0; l < L; l++) {
                uint64_t r = a[l] + d[l], t = b[l] << 17;
                c[l] ^= a[l]; d[l] ^= b[l]; b[l] ^= c[l]; a[l] ^= d[l]; c[l] ^= t; d[l] = rotl(d[l], 45);
                double x = (double)(r >> 11) * 0x1p-52 - 1.0;
                q[l] += x * x;
            }
        for (int l = 0; l < L; l++) {
            /* exp(-q) by range reduction and a polynomial, so that it vectorises without a library */
            double y = -q[l], k = rint(y * 1.4426950408889634);
            double r = y - k * 0.6931471805599453;
            double p = 1.0 / 479001600;
            p = p * r + 1.0 / 39916800; p = p * r + 1.0 / 3628800; p = p * r + 1.0 / 362880;
            p = p * r + 1.0 / 40320; p = p * r + 1.0 / 5040; p = p * r + 1.0 / 720;
            p = p * r + 1.0 / 120; p = p * r + 1.0 / 24; p = p * r + 1.0 / 6;
            p = p * r + 0.5; p = p * r + 1.0; p = p * r + 1.0;
            union { double f; int64_t i; } two = {.i = ((int64_t)k + 1023) << 52};
            sum[l] += p * two.f;
        }
    }
    double total = 0;
    for (int l = 0; l < L; l++) total += sum[l];
    return 32.0 * total / (double)(n / L * L);
}

/* The share of permutations whose difference of means is as far from zero: the first group drawn
   by Fisher and Yates with 32-bit fixed-point indices. */
double permutation_means(const double *x, int64_t n, int64_t first, int64_t permutations,
                         uint64_t seed, double observed) {
    double *a = malloc(n * sizeof *a), total = 0;
    uint64_t s[4];
    int64_t extreme = 0;
    for (int64_t i = 0; i < n; i++) total += a[i] = x[i];
    for (int i = 0; i < 4; i++) s[i] = splitmix(&seed);
    for (int64_t p = 0; p < permutations; p++) {
        double drawn = 0;
        for (int64_t i = 0; i < first; i++) {
            uint64_t r = s[0] + s[3], t = s[1] << 17;
            s[2] ^= s[0]; s[3] ^= s[1]; s[1] ^= s[2]; s[0] ^= s[3]; s[2] ^= t; s[3] = rotl(s[3], 45);
            int64_t j = i + (int64_t)(((r >> 32) * (uint64_t)(n - i)) >> 32);
            double v = a[j];
            a[j] = a[i];
            a[i] = v;
            drawn += v;
        }
        double value = drawn / (double)first - (total - drawn) / (double)(n - first);
        extreme += fabs(value) >= fabs(observed);
    }
    free(a);
    return (double)(extreme + 1) / (double)(permutations + 1);
}
