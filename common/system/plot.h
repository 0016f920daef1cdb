/* Draws pictures with gnuplot, a child process that reads a .gp script and CSV files.
 *
 * A gnuplot script can run commands (system() and `!`), and a run directory may come from somebody else.
 * So plot_draw must only get a script that this process has just written, never one found in a
 * directory. To draw the numbers of an earlier program, write the script anew, with every string from a
 * file in plot_quote. */
#ifndef PLOT_H
#define PLOT_H

#include "base/base.h"

/* Runs gnuplot on a script of this process; the picture gets a temporary name first and is then renamed.
 * kind is the terminal: "png", "svg", "dumb" (ASCII on stdout) or "none". The script must not set
 * terminal or output. If gnuplot is missing, fails or takes more than 20 s, prints one warning that says
 * where the numbers are, and returns false. */
bool plot_draw(const char *script, const char *picture, const char *kind, int width, int height);

/* Returns s as a string of a gnuplot script, in quotes, with control characters escaped (say.h). The caller frees it. */
char *plot_quote(const char *s);

/* A line of a script: a light grid behind the curves; not on a terminal, where it would look like a curve. */
#define PLOT_GRID "if (GPVAL_TERM ne 'dumb') set grid linetype 1 linecolor rgb '#dddddd'\n"

/* A line of a script: puts the key below the picture, away from the curves and the axis label. */
#define PLOT_KEY_BELOW                                                                             \
    "set key outside bottom center horizontal\nif (GPVAL_TERM ne 'dumb') set bmargin 6\n"

/* Colours that people with any colour vision can tell apart (Okabe & Ito 2008), as "#rrggbb". */
extern const char *const plot_color[8];

/* Returns the colour, "#rrggbb", that an architecture or a form of attention has in every figure: "rnn", "lstm", "gru",
 * "none" or "vector" (encoder and decoder without attention), "additive", "dot", "concat", "transformer" or "decoder",
 * "gpt". lessons/colors.gp has the same table for the lessons' scripts. Aborts if the name is unknown. */
const char *plot_color_of(const char *architecture);

#endif
