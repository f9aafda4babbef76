#include "signer.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "signer_client.h"
#include "signer_serve.h"

#define FIRST_FD 3 /* after stdin, stdout and stderr */

struct signer_process {
    pid_t pid; /* 0: reaped */
    struct signer_client channels[SIGNER_CHANNELS];
};

/* Moves the channels to the lowest descriptors and closes all others: the child keeps no listener,
 * no database and no lock of its parent. */
static int keep_only(int fds[static SIGNER_CHANNELS])
{
    for (int i = 0; i < SIGNER_CHANNELS; i++) {
        fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FIRST_FD + SIGNER_CHANNELS);
        if (fds[i] < 0)
            return -errno;
    }
    for (int i = 0; i < SIGNER_CHANNELS; i++) {
        if (dup3(fds[i], FIRST_FD + i, O_CLOEXEC) < 0)
            return -errno;
        fds[i] = FIRST_FD + i;
    }
    return close_range(FIRST_FD + SIGNER_CHANNELS, ~0U, 0) != 0 ? -errno : 0;
}

/* It ends when its channels do: a Ctrl-C for the whole group must not take it from under requests
 * that are still being finished. */
static void ignore_signals(void)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2};
    sigset_t none;

    for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
        signal(ignored[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void child(const struct state *state, const struct app_clock *clock,
                            int fds[static SIGNER_CHANNELS])
{
    struct vault *vault = NULL;
    int r;

    ignore_signals();
    prctl(PR_SET_NAME, "comity-signer");
    prctl(PR_SET_DUMPABLE, 0); /* no core file and no debugger for what holds the keys */
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    r = keep_only(fds);
    malloc_trim(0);
    if (r == 0)
        r = vault_open(state, clock, &vault, NULL);
    if (r == 0)
        r = signer_serve(vault, fds);
    vault_free(vault);
    _exit(r == 0 ? 0 : 1); /* no handlers of the parent's */
}

static void close_all(const int fds[static SIGNER_CHANNELS])
{
    for (int i = 0; i < SIGNER_CHANNELS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static int make_channels(int ours[static SIGNER_CHANNELS], int theirs[static SIGNER_CHANNELS])
{
    for (int i = 0; i < SIGNER_CHANNELS; i++)
        ours[i] = theirs[i] = -1;
    for (int i = 0; i < SIGNER_CHANNELS; i++) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
            int r = -errno;

            close_all(ours);
            close_all(theirs);
            return r;
        }
        ours[i] = pair[0];
        theirs[i] = pair[1];
    }
    return 0;
}

int signer_start(const struct state *state, const struct app_clock *clock,
                 struct signer_process **out, struct err *err)
{
    int ours[SIGNER_CHANNELS], theirs[SIGNER_CHANNELS];
    struct signer_process *p = calloc(1, sizeof(*p));
    int r = p ? make_channels(ours, theirs) : -ENOMEM;

    if (r != 0) {
        free(p);
        return err_set(err, r, "no channels to the signer process: %s", strerror(-r));
    }
    p->pid = fork();
    if (p->pid < 0) {
        r = -errno;
        close_all(ours);
        close_all(theirs);
        free(p);
        return err_set(err, r, "cannot start the signer process: %s", strerror(-r));
    }
    if (p->pid == 0) {
        close_all(ours);
        child(state, clock, theirs);
    }
    close_all(theirs);
    for (int i = 0; i < SIGNER_CHANNELS; i++)
        signer_client_init(&p->channels[i], ours[i], p->pid);
    *out = p;
    return 0;
}

struct signer *signer_channel(struct signer_process *p, enum signer_channel c)
{
    return &p->channels[c].base;
}

int signer_pid(const struct signer_process *p)
{
    return p->pid;
}

void signer_stop(struct signer_process *p)
{
    if (!p)
        return;
    for (int i = 0; i < SIGNER_CHANNELS; i++)
        signer_client_close(&p->channels[i]);
    while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    free(p);
}
