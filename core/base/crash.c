#include "base/crash.h"

#include "base/calls_parts.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum {
	STACK_SIZE = 80 * 1024, /* for the handler, when the thread's own has overflowed */
	HANDLER_SECONDS = 5,    /* what it may take: the process may be in any state */
};

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

/* Where the thread was that got the signal, NULL where it is not known how to tell. */
static const void *interrupted_at(const void *context)
{
	const ucontext_t *saved = context;
	if (saved == NULL)
		return NULL;
#if defined(__x86_64__)
	return (const void *)saved->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return (const void *)saved->uc_mcontext.pc;
#else
	return NULL;
#endif
}

/* The row of FILE in the list of CRASH. */
static int file_row(struct crash *crash, const char *file)
{
	for (int i = 0; i < crash->file_count; i++) {
		if (strncmp(crash->files[i], file, CRASH_PATH - 1) == 0)
			return i;
	}
	if (crash->file_count == CRASH_FILES)
		return -1;
	(void)strncpy(crash->files[crash->file_count], file, CRASH_PATH - 1);
	return crash->file_count++;
}

static void note_frame(struct crash *crash, const char *address)
{
	Dl_info info;
	struct crash_frame *frame = &crash->frames[crash->frame_count++];
	frame->file = -1;
	frame->offset = (uint64_t)(uintptr_t)address;
	if (dladdr(address, &info) == 0 || info.dli_fname == NULL)
		return;
	frame->file = file_row(crash, info.dli_fname);
	frame->offset = (uint64_t)(address - (const char *)info.dli_fbase);
}

static void note_frames(struct crash *crash, const void *at)
{
	void *addresses[CRASH_FRAMES + 8];
	int count = backtrace(addresses, CRASH_FRAMES + 8);
	int first = 0;
	for (int i = 0; at != NULL && i < count; i++) {
		if (addresses[i] == at)
			first = i;
	}
	for (int i = first; i < count && crash->frame_count < CRASH_FRAMES; i++) {
		/* Where a call returns to may be behind the end of the function that called. */
		bool called = addresses[i] != at;
		note_frame(crash, (const char *)addresses[i] - (called ? 1 : 0));
	}
}

/* Notes what the calling thread was at. False when it has crashed over that; does not return when another thread is at it. */
static bool note(struct crash *crash, int number, const void *at)
{
	int nothing = CRASH_NONE;
	if (!atomic_compare_exchange_strong(&crash->state, &nothing, CRASH_WRITING)) {
		if (atomic_load(&crash->thread) == (int)gettid())
			return false;
		for (;;)
			(void)pause();
	}
	atomic_store(&crash->thread, (int)gettid());
	/* What is used here takes locks at times, and the thread may have them. */
	(void)signal(SIGALRM, SIG_DFL);
	(void)alarm(HANDLER_SECONDS);
	crash->signal = number;
	crash->place = calls_here != NULL ? (int)(calls_here - calls_own()->threads) : -1;
	(void)pthread_getname_np(pthread_self(), crash->name, sizeof crash->name);
	note_frames(crash, at);
	atomic_store(&crash->state, CRASH_WRITTEN);
	return true;
}

/* Whether this is the process that has a part, and not one that a plugin has forked. */
static bool is_own(const struct calls_part *part)
{
	return part != NULL && part->pid == getpid();
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	struct calls_part *part = calls_own();
	(void)info;
	if (is_own(part))
		(void)note(&part->crash, number, interrupted_at(context));
	/* It comes again when this returns. */
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

static void on_exit_called(int code, void *context)
{
	struct calls_part *part = calls_own();
	(void)context;
	if (!is_own(part))
		return;
	(void)note(&part->crash, 0, NULL);
	/* What else is to be called at the end may need what other threads are using. */
	_exit(code);
}

void crash_watch(void)
{
	void *address;
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	/* The first call loads a library. */
	(void)backtrace(&address, 1);
	crash_watch_thread();
	(void)sigfillset(&action.sa_mask);
	(void)sigdelset(&action.sa_mask, SIGALRM);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		(void)sigaction(signals[i], &action, NULL);
	(void)on_exit(on_exit_called, NULL);
}

void crash_watch_thread(void)
{
	stack_t before;
	if (calls_own() == NULL || sigaltstack(NULL, &before) < 0 ||
		(before.ss_flags & SS_DISABLE) == 0)
		return;
	void *memory = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (memory == MAP_FAILED)
		return;
	(void)sigaltstack(&(const stack_t){.ss_sp = memory, .ss_size = STACK_SIZE}, NULL);
}

void crash_leave_thread(void)
{
	stack_t before;
	if (calls_own() == NULL || sigaltstack(NULL, &before) < 0 || before.ss_size != STACK_SIZE)
		return;
	(void)sigaltstack(&(const stack_t){.ss_flags = SS_DISABLE}, NULL);
	(void)munmap(before.ss_sp, before.ss_size);
}

void crash_allow(sigset_t *set)
{
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		(void)sigdelset(set, signals[i]);
}

void crash_end(void)
{
	calls_adopt(NULL);
}

const struct crash *crash_of(const struct calls_part *part)
{
	return atomic_load(&part->crash.state) == CRASH_WRITTEN ? &part->crash : NULL;
}

const char *crash_plugin(const struct calls_part *part)
{
	const struct crash *crash = crash_of(part);
	size_t count = atomic_load(&part->plugin_count);
	for (int i = 0; crash != NULL && i < crash->frame_count; i++) {
		int file = crash->frames[i].file;
		for (size_t k = 0; file >= 0 && k < count && k < CALLS_PLUGINS; k++) {
			if (strcmp(crash->files[file], part->plugins[k].file) == 0)
				return part->plugins[k].file;
		}
	}
	return NULL;
}
