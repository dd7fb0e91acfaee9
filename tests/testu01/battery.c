/* Run a TestU01 battery over 32-bit numbers read from standard input.
 *
 * battery smallcrush|crush NAME
 *
 * Prints TestU01's summary. Exits 1 if a p-value lies outside [1e-10, 1 - 1e-10], 2 on bad use or
 * when the input ends early. TestU01 itself lists p-values outside [0.001, 0.999] as suspect; of
 * the 15 of SmallCrush and the 144 of Crush a sound generator has one there in 3 and 25 runs of
 * 100. The guide of TestU01 calls a failure clear outside [1e-10, 1 - 1e-10], which chance gives
 * to a run of Crush once in 3e7 times: the bound for a check that runs unattended.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "TestU01.h"

#define NUMBERS 65536

static uint32_t numbers[NUMBERS];
static size_t position = NUMBERS;

static unsigned int next(void) {
    if (position == NUMBERS) {
        if (fread(numbers, sizeof numbers[0], NUMBERS, stdin) != NUMBERS) {
            fprintf(stderr, "battery: the input ended before the tests did\n");
            exit(2);
        }
        position = 0;
    }
    return numbers[position++];
}

int main(int argc, char **argv) {
    int crush = argc == 3 && strcmp(argv[1], "crush") == 0;
    if (argc != 3 || (!crush && strcmp(argv[1], "smallcrush") != 0)) {
        fprintf(stderr, "usage: battery smallcrush|crush NAME\n");
        return 2;
    }
    swrite_Basic = FALSE;
    unif01_Gen *generator = unif01_CreateExternGenBits(argv[2], next);
    (crush ? bbattery_Crush : bbattery_SmallCrush)(generator);

    int failures = 0;
    for (int i = 0; i < bbattery_NTests; i++) {
        /* Written so that a p-value that is not a number fails too. */
        if (!(bbattery_pVal[i] >= 1e-10 && bbattery_pVal[i] <= 1 - 1e-10)) {
            fprintf(stderr, "battery: %s: p = %g\n", bbattery_TestNames[i], bbattery_pVal[i]);
            failures++;
        }
    }
    printf("%d p-values, %d outside [1e-10, 1 - 1e-10]\n", bbattery_NTests, failures);
    unif01_DeleteExternGenBits(generator);
    return failures > 0;
}
