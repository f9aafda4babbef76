/*
 * Whole files, read and made durable. Every function returns 0 or -errno.
 */
#pragma once

#include "base/buf.h"

/* Appends what can be read of the descriptor. -ENOSPC: out's bound is reached. */
int file_read_fd(int fd, struct buf *out);

/* The same of a path; a link is followed. */
int file_read(const char *path, struct buf *out);

int file_write_fd(int fd, struct str text);

/* A new file for the owner's eyes only (0600), durable when this returns. -EEXIST: something is
 * there. After a failure nothing new is there. */
int file_create(const char *path, struct str text);

/* The whole file anew beside the old one, as PATH.new, synced, then renamed over it: a crash leaves
 * either. What a crash left of PATH.new is overwritten. Mode 0600. */
int file_replace(const char *path, struct str text);

/* Makes a file's name durable: its own fsync does not cover its entry in the folder. */
int file_sync_folder(const char *path);
