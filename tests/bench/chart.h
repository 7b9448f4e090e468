/* chart.h - the results that README.md shows, as a picture. */
#ifndef BENCH_CHART_H
#define BENCH_CHART_H

struct lines;

/* An SVG at path that is read in light and dark; 0, or -1 after it said on
 * stderr what failed. What was not measured is not shown. */
int chart_write(const struct lines *lines, const char *path);

#endif
