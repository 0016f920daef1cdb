/* Pictures by gnuplot, as a child process that reads a .gp script and CSV files.
 *
 * A script is a program: system() and `!` in it run commands. So only a script that this process has
 * itself written, a moment ago, may be drawn, never one that lay in a directory: a run may come from
 * somebody else. What an earlier program measured is drawn from its numbers, by a script written anew,
 * with every string that comes from a file in plot_quote. */
#ifndef PLOT_H
#define PLOT_H

#include "base/base.h"

/* Runs gnuplot on script, one that this process wrote (atomic: the picture is drawn to a temporary name
 * and renamed). kind: the terminal, "png", "svg", "dumb" (ASCII on stdout) or "none". The script must
 * not set terminal or output. Without gnuplot, or when it fails or takes more than 20 s: one warning on
 * stderr that says where the numbers are, and false; nothing else stops. */
bool plot_draw(const char *script, const char *picture, const char *kind, int width, int height);

/* A string for a gnuplot script: in single quotes, with quotes doubled and control characters
 * replaced. free() it. */
char *plot_quote(const char *s);

/* A line of a script: a light grid behind the curves; on a terminal it would be of the curves' own stars. */
#define PLOT_GRID "if (GPVAL_TERM ne 'dumb') set grid linetype 1 linecolor rgb '#dddddd'\n"

/* Another: the key below the picture, clear of the curves and of the axis' name. */
#define PLOT_KEY_BELOW                                                                             \
    "set key outside bottom center horizontal\nif (GPVAL_TERM ne 'dumb') set bmargin 6\n"

/* Colours that people with any colour vision can tell apart (Okabe & Ito 2008), as "#rrggbb". */
extern const char *const plot_color[8];

#endif
