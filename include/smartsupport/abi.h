/*
 * The plugin ABI's version.
 *
 * A plugin states the version of the header that it was built with in its descriptor. The server
 * loads it when the major versions are equal and the plugin's minor version is not newer.
 *
 * Within a major version structures only grow at their end, enumerations only gain values at their
 * end, and nothing changes its meaning. A structure that crosses the boundary starts with its size
 * as the sender knows it, so the receiver sees which members are there.
 *
 * Change log
 *   1.4  What an operator, an integrator and other systems see of a store: lists, changes, erasures, documents, events and deliveries,
 *        requests, retention, tools (ss_storage_operations.list_conversations and what follows), which every storage keeps;
 *        events of what is stored (ss_turn.events, ss_feedback.events); metadata that is known to be JSON
 *        (ss_turn.metadata_is_json); whose turn a journal is of
 *        (ss_journal_write.user_id and what follows), and which nobody goes on with (ss_journal_filter.user_id and what follows);
 *        whose words a question without an answer is in (ss_unanswered_filter.user_id). Nodes that are not called any more
 *        (SS_QUARANTINED).
 *   1.3  Vectors of questions, which a storage keeps with them (ss_turn.embedder and what follows) and gives back
 *        (ss_turn_key.embedder and what follows). Requests over HTTP (ss_host.http_start and what follows); answers
 *        with their costs (ss_host.conclude; ss_conclusion.works tells a refusal from a failure), and models that can
 *        be stopped, named or left out (ss_llm_operations.cancel and what follows, and .create); questions to a model
 *        that are no customer's (ss_prompt.use and what follows); prompt files (SS_OPTION_PROMPT, ss_host.render), secrets
 *        (SS_OPTION_SECRET, SS_OPTION_SECRETS), and pieces of a response that agents make (ss_host.emit); threads of messages that
 *        conversations are found by (ss_turn.thread, ss_turn_key.thread). Searches that go on when the embedder or the
 *        index fails, and say so (ss_host.missing).
 *   1.2  What a turn shows and leaves unanswered (ss_turn.shown and what follows); feedback
 *        (ss_storage_operations.store_feedback and what follows), which every storage keeps; what a user asked in
 *        other conversations (ss_turn_key.recent_limit); indexes that are saved and loaded (ss_index_operations.save
 *        and .load).
 *   1.1  Agents that block (ss_plugin.running); models that hand on pieces (ss_host.piece); journals of turns
 *        (ss_storage_operations.write_journals and what follows), which every storage keeps.
 *   1.0  Agents, models, storage, embedders and indexes.
 */
#ifndef SMARTSUPPORT_ABI_H
#define SMARTSUPPORT_ABI_H

/* The version of these headers, for the descriptor of a plugin: plugins of another major version are refused, */
#define SS_ABI_MAJOR 1u
/* and so are plugins of a newer minor one. */
#define SS_ABI_MINOR 4u

/* Begins what has the names that C gives it, also for C++, */
#ifdef __cplusplus
#define SS_BEGIN_C extern "C" {
#else
#define SS_BEGIN_C
#endif

/* and ends it. */
#ifdef __cplusplus
#define SS_END_C }
#else
#define SS_END_C
#endif

/* Whether the structure at POINTER, which begins with its size, has MEMBER: who made it may know fewer. */
#define SS_HAS(pointer, member)                                                                    \
	((pointer)->struct_size >=                                                                 \
		(size_t)((const char *)(&(pointer)->member + 1) - (const char *)(pointer)))

/* Plugins are built with hidden visibility; this marks the one symbol that they export. */
#define SS_EXPORT __attribute__((visibility("default")))

#endif
