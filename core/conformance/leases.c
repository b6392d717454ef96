/* The leases on journals: that at most one goes on with a turn. */
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <string.h>

static const struct ss_journal_entry entry = {1, {"{\"n\":1}", 7}};

/* The journal of a new turn, whose lease "me" holds. */
static const char *begin(struct probe *probe)
{
	const char *id = probe_id(probe, "");
	probe_write(probe, probe_beginning(probe, id, "me"));
	return id;
}

/* What is written to the journal of the turn ID under FENCE by OWNER, who keeps the lease as it is. */
static struct ss_journal_write under(const char *id, int64_t fence, const char *owner)
{
	return (struct ss_journal_write){.turn_id = id,
		.fence = fence,
		.owner = owner,
		.entries = &entry,
		.entry_count = 1,
		.first = 1};
}

static void expect_standing(struct probe *probe, const struct ss_value *journal, const char *status,
	const char *owner, int64_t fence)
{
	probe_expect(probe, "the status of a journal", status, probe_string(journal, "status"));
	probe_expect(probe, "the owner of a journal", owner, probe_string(journal, "owner"));
	probe_expect_int(
		probe, "the fence of a journal", fence, value_as_int(value_get(journal, "fence")));
}

static void refuses_old_fences(struct probe *probe)
{
	const char *ids[] = {begin(probe), begin(probe), begin(probe)};
	struct ss_journal_write writes[3];
	struct ss_error errors[3] = {{.status = SS_OK}};
	(void)probe_take(probe, ids[1], "other", "me");
	for (size_t i = 0; i < 3; i++) {
		writes[i] = under(ids[i], 1, "me");
		writes[i].struct_size = sizeof writes[i];
		writes[i].status = "interrupted";
	}
	if (probe->failed)
		return;
	int result = probe->storage->write_journals(probe->instance, writes, 3, errors);
	probe_expect_int(probe, "write_journals() with one old fence of three", 0, result);
	probe_expect_success(probe, "the write before it", 0, &errors[0]);
	probe_expect_refusal(probe, "writing under the fence of a lease that was taken",
		SS_CONFLICT, errors[1].status == SS_OK ? 0 : -1, &errors[1]);
	probe_expect_success(probe, "the write behind it", 0, &errors[2]);
	for (size_t i = 0; i < 3; i++) {
		const struct ss_value *journal = probe_journal(probe, ids[i]);
		expect_standing(probe, journal, i == 1 ? "running" : "interrupted",
			i == 1 ? "other" : "me", i == 1 ? 2 : 1);
		probe_expect_int(probe, "the number of entries", i == 1 ? 0 : 1,
			(int64_t)value_count(value_get(journal, "entries")));
	}
	probe_refuse_write(probe, "writing under a fence that nobody was given",
		under(ids[1], 3, "me"), SS_CONFLICT);
	probe_write(probe, under(ids[1], 2, "other"));
}

static void is_nobody_elses(struct probe *probe)
{
	const char *id = begin(probe);
	probe_refuse_taking(
		probe, "taking a lease that somebody holds", id, "other", NULL, SS_CONFLICT);
	probe_refuse_taking(
		probe, "taking one's own lease a second time", id, "me", NULL, SS_CONFLICT);
	probe_refuse_taking(probe, "taking a lease when a third one is gone", id, "other", "third",
		SS_CONFLICT);
	expect_standing(probe, probe_journal(probe, id), "running", "me", 1);
}

static void is_taken_from_who_is_gone(struct probe *probe)
{
	const char *id = begin(probe);
	expect_standing(probe, probe_take(probe, id, "other", "me"), "running", "other", 2);
	expect_standing(probe, probe_take(probe, id, "third", "other"), "running", "third", 3);
}

static void tells_who_holds_it(struct probe *probe)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *journal = NULL;
	const char *id = probe_id(probe, "");
	const char *owner = probe_name(probe, "host:42");
	probe_write(probe, probe_beginning(probe, id, owner));
	const struct ss_journal_key key = {.struct_size = sizeof key,
		.turn_id = id,
		.owner = "other",
		.lease_ns = PROBE_HOUR_NS};
	if (probe->failed)
		return;
	int result = probe->storage->read_journal(probe->instance, &key, &journal, &err);
	probe_expect_refusal(
		probe, "taking a lease that somebody holds", SS_CONFLICT, result, &err);
	if (result == 0)
		value_unref(journal);
	if (!probe->failed && strstr(err.text, owner) == NULL)
		probe_fail(probe, "the sentence of the refusal",
			probe_format(probe, "the owner's name in it, %s", owner), "%s", err.text);
}

/* Takes the lease on the journal ID as soon as that works. */
static const struct ss_value *take_when_over(struct probe *probe, const char *id)
{
	struct ss_error err = {.status = SS_OK};
	const struct ss_journal_key key = {.struct_size = sizeof key,
		.turn_id = id,
		.owner = "other",
		.lease_ns = PROBE_HOUR_NS};
	for (int i = 0; i < PROBE_PATIENCE && !probe->failed; i++) {
		struct ss_value *journal = NULL;
		err = (struct ss_error){.status = SS_OK};
		if (probe->storage->read_journal(probe->instance, &key, &journal, &err) == 0)
			return probe_keep(probe, journal);
		if (err.status != SS_CONFLICT)
			break;
		probe_pause();
	}
	probe_fail(
		probe, "taking a lease of 20 ms that is over", "success in time", "%s", err.text);
	return NULL;
}

static void runs_out(struct probe *probe)
{
	const char *id = probe_id(probe, "");
	struct ss_journal_write write = probe_beginning(probe, id, "me");
	write.lease_ns = PROBE_SECOND_NS / 50;
	probe_write(probe, write);
	expect_standing(probe, take_when_over(probe, id), "running", "other", 2);
	probe_refuse_write(probe, "writing under the lease that ran out and was taken",
		under(id, 1, "me"), SS_CONFLICT);
}

static void is_its_fences_until_taken(struct probe *probe)
{
	const char *id = probe_id(probe, "");
	struct ss_journal_write write = probe_beginning(probe, id, "me");
	write.lease_ns = 1;
	probe_write(probe, write);
	probe_pause();
	probe_write(probe, under(id, 1, "me"));
}

static void is_renewed(struct probe *probe)
{
	const char *id = probe_id(probe, "");
	struct ss_journal_write write = probe_beginning(probe, id, "me");
	write.lease_ns = PROBE_HOUR_NS;
	probe_write(probe, write);
	const char *first = probe_string(probe_journal(probe, id), "lease_until");
	write = under(id, 1, "me");
	probe_write(probe, write);
	probe_expect(probe, "the end of a lease after a write with lease_ns 0", first,
		probe_string(probe_journal(probe, id), "lease_until"));
	write.entry_count = 0;
	write.lease_ns = 2 * PROBE_HOUR_NS;
	probe_write(probe, write);
	const char *second = probe_string(probe_journal(probe, id), "lease_until");
	if (!probe->failed && strcmp(second, first) <= 0)
		probe_fail(probe, "the end of a lease that was renewed for an hour longer",
			"a time after the first end", "%s after %s", second, first);
}

static void keeps_the_end_with_a_status(struct probe *probe)
{
	const char *id = begin(probe);
	const char *first = probe_string(probe_journal(probe, id), "lease_until");
	struct ss_journal_write write = under(id, 1, "me");
	write.status = "interrupted";
	probe_write(probe, write);
	probe_expect(probe, "the end of a lease after a write with a status and lease_ns 0", first,
		probe_string(probe_journal(probe, id), "lease_until"));
}

static void is_given_back(struct probe *probe)
{
	const char *id = begin(probe);
	struct ss_journal_write write = under(id, 1, NULL);
	write.status = "interrupted";
	probe_write(probe, write);
	const struct ss_value *journal = probe_journal(probe, id);
	expect_standing(probe, journal, "interrupted", "", 1);
	if (!probe->failed &&
		(value_get(journal, "owner") != NULL || value_get(journal, "lease_until") != NULL))
		probe_fail(probe, "a journal whose lease was given back",
			"neither \"owner\" nor \"lease_until\"", "one of them");
	expect_standing(probe, probe_take(probe, id, "other", NULL), "running", "other", 2);
}

static void ends_with_done(struct probe *probe)
{
	const char *id = begin(probe);
	struct ss_journal_write write = under(id, 1, NULL);
	write.status = "done";
	probe_write(probe, write);
	probe_refuse_taking(
		probe, "taking the lease of a turn that is done", id, "other", NULL, SS_CONFLICT);
	expect_standing(probe, probe_journal(probe, id), "done", "", 1);
}

static void tells_errors(struct probe *probe)
{
	const char *id = begin(probe);
	struct ss_journal_write write = under(id, 1, NULL);
	write.status = "failed";
	write.error = "node price: it is wrong é";
	probe_write(probe, write);
	const struct ss_value *journal = probe_journal(probe, id);
	expect_standing(probe, journal, "failed", "", 1);
	probe_expect(probe, "the error of a journal", write.error, probe_string(journal, "error"));
	journal = probe_take(probe, id, "other", NULL);
	expect_standing(probe, journal, "running", "other", 2);
	probe_expect(probe, "the error of a turn that goes on", "", probe_string(journal, "error"));
}

static const struct probe_case cases[] = {
	{"who writes under an old fence is refused, and nobody beside", refuses_old_fences},
	{"a lease that is not over is nobody else's", is_nobody_elses},
	{"who is refused a lease is told who holds it", tells_who_holds_it},
	{"the lease of an owner that is gone may be taken, and the fence grows",
		is_taken_from_who_is_gone},
	{"a lease that ran out may be taken", runs_out},
	{"a lease that ran out and that nobody took is still that of its fence",
		is_its_fences_until_taken},
	{"a lease is renewed by a write that says for how long, and by no other", is_renewed},
	{"a status does not change how long a lease lasts", keeps_the_end_with_a_status},
	{"a lease that was given back may be taken", is_given_back},
	{"a turn that is done is not gone on with", ends_with_done},
	{"an error is told until the turn goes on", tells_errors},
};

const struct probe_area leases_area = {"leases", cases, array_length(cases)};
