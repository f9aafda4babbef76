/*
 * A thin layer between SQLite and its own VFS that writes the frames of a commit together.
 *
 * SQLite writes a WAL frame as two small writes, its header and its page. A group of 64 check-ins
 * is some hundred frames, all side by side in the file, and the system calls cost as much as all of
 * the rest. So writes to the WAL that continue each other wait in a buffer until SQLite syncs the
 * file, reads it or asks for its size, or the buffer is full.
 *
 * Why that is safe: with synchronous=FULL a commit syncs the WAL before the frames are announced in
 * the shared index, so no other connection ever looks for what still waits here. And before this
 * connection gives back the write lock, all is written, so that what a rolled back transaction left
 * never overwrites the frames of the next writer. Errors come out of the sync, and fail the commit.
 */
#include <pthread.h>

#include "store/sqlite_room.h"

#define VFS_NAME "comity"
#define TOGETHER (120 * 1024) /* os_unix.c cannot write 128 KiB or more at once */
#define SHM_WRITE_LOCK                                                                             \
    0 /* WAL_WRITE_LOCK in SQLite's wal.c; part of its file format, section 2.3 */

/* Either a database or its WAL; SQLite allocates it, with the real file behind. */
struct file {
    sqlite3_file base;
    struct file *wal; /* of a database: its WAL once that is open */
    struct file *db;  /* of a WAL: its database */
    sqlite3_int64 at; /* where the waiting bytes begin */
    int n;
    char *waiting; /* TOGETHER bytes; NULL until the first write */
};

static sqlite3_file *real(sqlite3_file *f)
{
    return (sqlite3_file *)((struct file *)f + 1);
}

static int flush(struct file *f)
{
    int n = f->n;

    f->n = 0;
    return n > 0 ? real(&f->base)->pMethods->xWrite(real(&f->base), f->waiting, n, f->at)
                 : SQLITE_OK;
}

/* ---- the WAL ---- */

static int wal_close(sqlite3_file *base)
{
    struct file *f = (struct file *)base;

    /* What waits here was never committed: a commit syncs. */
    sqlite3_free(f->waiting);
    f->waiting = NULL;
    if (f->db)
        f->db->wal = NULL;
    return real(base)->pMethods->xClose(real(base));
}

static int wal_read(sqlite3_file *base, void *p, int n, sqlite3_int64 at)
{
    int rc = flush((struct file *)base);

    return rc ? rc : real(base)->pMethods->xRead(real(base), p, n, at);
}

static int wal_write(sqlite3_file *base, const void *p, int n, sqlite3_int64 at)
{
    struct file *f = (struct file *)base;
    int rc;

    if (f->n > 0 && (at != f->at + f->n || n > TOGETHER - f->n)) {
        rc = flush(f);
        if (rc)
            return rc;
    }
    if (!f->waiting)
        f->waiting = sqlite3_malloc(TOGETHER);
    if (!f->waiting || n > TOGETHER)
        return real(base)->pMethods->xWrite(real(base), p, n, at);
    if (f->n == 0)
        f->at = at;
    memcpy(f->waiting + f->n, p, (size_t)n);
    f->n += n;
    return SQLITE_OK;
}

static int wal_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    int rc = flush((struct file *)base);

    return rc ? rc : real(base)->pMethods->xTruncate(real(base), size);
}

static int wal_sync(sqlite3_file *base, int flags)
{
    int rc = flush((struct file *)base);

    return rc ? rc : real(base)->pMethods->xSync(real(base), flags);
}

static int wal_size(sqlite3_file *base, sqlite3_int64 *size)
{
    int rc = flush((struct file *)base);

    return rc ? rc : real(base)->pMethods->xFileSize(real(base), size);
}

/* ---- both ---- */

static int both_lock(sqlite3_file *base, int level)
{
    return real(base)->pMethods->xLock(real(base), level);
}

static int both_unlock(sqlite3_file *base, int level)
{
    return real(base)->pMethods->xUnlock(real(base), level);
}

static int both_check(sqlite3_file *base, int *out)
{
    return real(base)->pMethods->xCheckReservedLock(real(base), out);
}

static int both_control(sqlite3_file *base, int op, void *arg)
{
    return real(base)->pMethods->xFileControl(real(base), op, arg);
}

static int both_sector(sqlite3_file *base)
{
    return real(base)->pMethods->xSectorSize(real(base));
}

static int both_device(sqlite3_file *base)
{
    return real(base)->pMethods->xDeviceCharacteristics(real(base));
}

/* ---- the database ---- */

static int db_close(sqlite3_file *base)
{
    struct file *f = (struct file *)base;

    if (f->wal)
        f->wal->db = NULL;
    return real(base)->pMethods->xClose(real(base));
}

static int db_read(sqlite3_file *base, void *p, int n, sqlite3_int64 at)
{
    return real(base)->pMethods->xRead(real(base), p, n, at);
}

static int db_write(sqlite3_file *base, const void *p, int n, sqlite3_int64 at)
{
    return real(base)->pMethods->xWrite(real(base), p, n, at);
}

static int db_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    return real(base)->pMethods->xTruncate(real(base), size);
}

static int db_sync(sqlite3_file *base, int flags)
{
    return real(base)->pMethods->xSync(real(base), flags);
}

static int db_size(sqlite3_file *base, sqlite3_int64 *size)
{
    return real(base)->pMethods->xFileSize(real(base), size);
}

static int db_shm_map(sqlite3_file *base, int page, int size, int extend, void volatile **out)
{
    return real(base)->pMethods->xShmMap(real(base), page, size, extend, out);
}

static int db_shm_lock(sqlite3_file *base, int offset, int n, int flags)
{
    struct file *f = (struct file *)base;

    /* An error here has no way out, and needs none: what is lost was not committed. */
    if (f->wal && (flags & SQLITE_SHM_UNLOCK) && offset == SHM_WRITE_LOCK)
        flush(f->wal);
    return real(base)->pMethods->xShmLock(real(base), offset, n, flags);
}

static void db_shm_barrier(sqlite3_file *base)
{
    real(base)->pMethods->xShmBarrier(real(base));
}

static int db_shm_unmap(sqlite3_file *base, int delete)
{
    return real(base)->pMethods->xShmUnmap(real(base), delete);
}

/* Version 2: without memory-mapped reading, which nothing here turns on. */
static const sqlite3_io_methods db_methods = {
    .iVersion = 2,
    .xClose = db_close,
    .xRead = db_read,
    .xWrite = db_write,
    .xTruncate = db_truncate,
    .xSync = db_sync,
    .xFileSize = db_size,
    .xLock = both_lock,
    .xUnlock = both_unlock,
    .xCheckReservedLock = both_check,
    .xFileControl = both_control,
    .xSectorSize = both_sector,
    .xDeviceCharacteristics = both_device,
    .xShmMap = db_shm_map,
    .xShmLock = db_shm_lock,
    .xShmBarrier = db_shm_barrier,
    .xShmUnmap = db_shm_unmap,
};

static const sqlite3_io_methods wal_methods = {
    .iVersion = 1,
    .xClose = wal_close,
    .xRead = wal_read,
    .xWrite = wal_write,
    .xTruncate = wal_truncate,
    .xSync = wal_sync,
    .xFileSize = wal_size,
    .xLock = both_lock,
    .xUnlock = both_unlock,
    .xCheckReservedLock = both_check,
    .xFileControl = both_control,
    .xSectorSize = both_sector,
    .xDeviceCharacteristics = both_device,
};

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *got)
{
    sqlite3_vfs *system = vfs->pAppData;
    struct file *f = (struct file *)base;
    int rc;

    if (!(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
        return system->xOpen(system, name, base, flags, got);

    memset(f, 0, sizeof(*f));
    rc = system->xOpen(system, name, real(base), flags, got);
    if (rc) {
        /* The real one may want to be closed all the same, and SQLite only knows ours. */
        if (real(base)->pMethods)
            real(base)->pMethods->xClose(real(base));
        return rc;
    }
    if (flags & SQLITE_OPEN_WAL) {
        f->db = (struct file *)sqlite3_database_file_object(name);
        f->db->wal = f;
        base->pMethods = &wal_methods;
    } else {
        base->pMethods = &db_methods;
    }
    return SQLITE_OK;
}

/* SQLite keeps its file systems in a list of the whole process. Ours is put there once, and is not
 * changed after. */
static sqlite3_vfs vfs;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_vfs(void)
{
    sqlite3_vfs *system;

    /* Statistics that nobody reads cost a lock for each allocation. Refused, and no harm, if the
     * library is in use already. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    system = sqlite3_vfs_find("unix");
    if (!system)
        return;
    vfs = *system;
    vfs.pNext = NULL;
    vfs.zName = VFS_NAME;
    vfs.pAppData = system;
    vfs.szOsFile = (int)sizeof(struct file) + system->szOsFile;
    vfs.xOpen = open_file;
    sqlite3_vfs_register(&vfs, 0);
}

const char *sql_vfs(void)
{
    pthread_once(&once, make_vfs);
    return VFS_NAME;
}
