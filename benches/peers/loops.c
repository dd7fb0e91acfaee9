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

/* Simulated two-sample t tests at n a sample: Box-Muller in 16 lanes, a simulation a lane. */
static inline void normals(const uint64_t *r1, const uint64_t *r2, double *z1, double *z2) {
    for (int l = 0; l < L; l++) {
        union { double f; uint64_t i; } u = {.i = (r1[l] >> 12) | 0x3ff0000000000000u};
        union { double f; uint64_t i; } v = {.i = (r2[l] >> 12) | 0x3ff0000000000000u};
        /* log of u in (0, 1): exponent and a series in (m - 1)/(m + 1) */
        union { double f; uint64_t i; } x = {.f = u.f - (1.0 - 0x1p-53)};
        union { double f; uint64_t i; } e = {.i = (x.i >> 52) | 0x4330000000000000u};
        union { double f; uint64_t i; } m = {.i = (x.i & 0x000fffffffffffffu) | 0x3fe0000000000000u};
        double k = e.f - 4503599627370496.0 - 1022.0;
        double small = m.f < 0.7071067811865476 ? 1.0 : 0.0;
        double y = m.f + small * m.f;
        k -= small;
        double s = (y - 1.0) / (y + 1.0), q = s * s;
        double p = 1.0 / 17;
        p = p * q + 1.0 / 15; p = p * q + 1.0 / 13; p = p * q + 1.0 / 11; p = p * q + 1.0 / 9;
        p = p * q + 1.0 / 7; p = p * q + 1.0 / 5; p = p * q + 1.0 / 3; p = p * q + 1.0;
        double log = k * 0.6931471805599453 + 2.0 * s * p;
        double radius = sqrt(-2.0 * log);
        /* sine and cosine of a turn: the nearest quarter and series of the rest */
        double t = v.f - 1.0, quarter = rint(4.0 * t);
        double a = (t - 0.25 * quarter) * 6.283185307179586, b = a * a;
        double sine = -1.0 / 1307674368000.0;
        sine = sine * b + 1.0 / 6227020800.0; sine = sine * b - 1.0 / 39916800;
        sine = sine * b + 1.0 / 362880; sine = sine * b - 1.0 / 5040;
        sine = sine * b + 1.0 / 120; sine = sine * b - 1.0 / 6; sine = (sine * b + 1.0) * a;
        double cosine = -1.0 / 87178291200.0;
        cosine = cosine * b + 1.0 / 479001600; cosine = cosine * b - 1.0 / 3628800;
        cosine = cosine * b + 1.0 / 40320; cosine = cosine * b - 1.0 / 720;
        cosine = cosine * b + 1.0 / 24; cosine = cosine * b - 0.5; cosine = cosine * b + 1.0;
        double odd = quarter == 1.0 || quarter == 3.0 ? 1.0 : 0.0;
        double c = odd * sine + (1.0 - odd) * cosine, d = odd * cosine + (1.0 - odd) * sine;
        double cs = quarter == 1.0 || quarter == 2.0 ? -1.0 : 1.0;
        double ds = quarter == 2.0 || quarter == 3.0 ? -1.0 : 1.0;
        z1[l] = radius * c * cs;
        z2[l] = radius * d * ds;
    }
}

double power_lanes(int64_t simulations, int64_t n, double effect, double critical) {
    uint64_t a[L], b[L], c[L], d[L], r[2][L], seed = 7;
    int64_t rejected = 0;
    for (int l = 0; l < L; l++) {
        a[l] = splitmix(&seed); b[l] = splitmix(&seed); c[l] = splitmix(&seed); d[l] = splitmix(&seed);
    }
    for (int64_t i = 0; i < simulations / L; i++) {
        double s1[L] = {0}, s2[L] = {0}, q1[L] = {0}, q2[L] = {0}, z1[L], z2[L];
        for (int64_t k = 0; k < n; k++) {
            for (int j = 0; j < 2; j++)
                for (int l = 0; l < L; l++) {
                    r[j][l] = a[l] + d[l];
                    uint64_t t = b[l] << 17;
                    c[l] ^= a[l]; d[l] ^= b[l]; b[l] ^= c[l]; a[l] ^= d[l]; c[l] ^= t; d[l] = rotl(d[l], 45);
                }
            normals(r[0], r[1], z1, z2);
            for (int l = 0; l < L; l++) {
                s1[l] += z1[l]; q1[l] += z1[l] * z1[l];
                s2[l] += z2[l]; q2[l] += z2[l] * z2[l];
            }
        }
        for (int l = 0; l < L; l++) {
            double m1 = s1[l] / n, m2 = s2[l] / n;
            double pooled = (q1[l] - n * m1 * m1 + q2[l] - n * m2 * m2) / (2 * n - 2);
            rejected += fabs(m1 + effect - m2) > critical * sqrt(pooled * 2 / n);
        }
    }
    return (double)rejected / (double)(simulations / L * L);
}
