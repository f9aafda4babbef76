/* Keeping what an idle process has in memory small. */
#pragma once

/* Gives back memory that was only needed to get here: freed heap, and the pages of code and
 * constants that start-up has touched (the linker's work, self-tests of libraries). They come back
 * from the system's cache when they are needed, at a microsecond each. From any thread. */
void memory_trim(void);
