#include "base/queue.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

struct number {
	size_t producer;
	size_t value;
	struct queue_item item;
};

static struct number *number_of(struct queue_item *item)
{
	return queue_entry(item, struct number, item);
}

static bool readable(const struct queue *queue)
{
	struct pollfd poll_fd = {.fd = queue_fd(queue), .events = POLLIN};
	return poll(&poll_fd, 1, 0) == 1;
}

Test(queue, gives_all_that_wait_in_order)
{
	struct number numbers[5];
	struct queue *queue = queue_new(false);
	cr_expect_null(queue_take(queue, false));
	for (size_t i = 0; i < array_length(numbers); i++) {
		numbers[i].value = i;
		queue_put(queue, &numbers[i].item);
	}
	struct queue_item *item = queue_take(queue, false);
	for (size_t i = 0; i < array_length(numbers); i++) {
		cr_assert_not_null(item);
		cr_expect_eq(number_of(item)->value, i);
		item = item->next;
	}
	cr_expect_null(item);
	cr_expect_null(queue_take(queue, false));
	queue_free(queue);
}

Test(queue, takes_an_item_again_that_was_taken_out)
{
	struct number number = {.value = 1};
	struct queue *queue = queue_new(false);
	for (int i = 0; i < 3; i++) {
		queue_put(queue, &number.item);
		cr_expect_eq(queue_take(queue, true), &number.item);
		cr_expect_null(number.item.next);
	}
	queue_free(queue);
}

/* Takes the even ones, or one that is odd. */
static struct queue_item *pick_even(void *context, struct queue_item **waiting)
{
	struct queue_item *taken = NULL, **last = &taken;
	(void)context;
	for (struct queue_item **at = waiting; *at != NULL;) {
		struct queue_item *item = *at;
		if (number_of(item)->value % 2 != 0) {
			at = &item->next;
			continue;
		}
		*at = item->next;
		item->next = NULL;
		*last = item;
		last = &item->next;
	}
	if (taken == NULL) {
		taken = *waiting;
		*waiting = taken->next;
		taken->next = NULL;
	}
	return taken;
}

static void put_values(struct queue *queue, struct number *numbers, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		numbers[i].value = i;
		queue_put(queue, &numbers[i].item);
	}
}

Test(queue, lets_who_takes_pick)
{
	static const size_t expected[] = {0, 2, 4, 1, 3, 5, 6, 7};
	struct number numbers[8];
	struct queue *queue = queue_new(false);
	size_t taken = 0;
	put_values(queue, numbers, 0, 5);
	for (size_t round = 0; taken < array_length(numbers); round++) {
		if (round == 2) /* behind the one that was left over */
			put_values(queue, numbers, 5, 6);
		if (taken == 6)
			put_values(queue, numbers, 6, 8);
		struct queue_item *item = queue_take_picked(queue, pick_even, NULL);
		for (; item != NULL; item = item->next)
			cr_expect_eq(number_of(item)->value, expected[taken++]);
	}
	queue_close(queue);
	cr_expect_null(queue_take_picked(queue, pick_even, NULL));
	queue_free(queue);
}

Test(queue, gives_one_at_a_time_to_those_who_share_it)
{
	struct number numbers[3];
	struct queue *queue = queue_new(false);
	for (size_t i = 0; i < array_length(numbers); i++)
		queue_put(queue, &numbers[i].item);
	cr_expect_eq(queue_take_first(queue), &numbers[0].item);
	cr_expect_eq(queue_take_first(queue), &numbers[1].item);
	queue_put(queue, &numbers[0].item);
	queue_close(queue);
	cr_expect_eq(queue_take_first(queue), &numbers[2].item);
	cr_expect_eq(queue_take_first(queue), &numbers[0].item);
	cr_expect_null(queue_take_first(queue));
	queue_free(queue);
}

enum { SHARERS = 4, SHARED = 2000 };

static void *count_what_it_takes(void *context)
{
	struct queue *queue = context;
	size_t count = 0;
	for (struct queue_item *item; (item = queue_take_first(queue)) != NULL; count++)
		number_of(item)->value++;
	return (void *)(uintptr_t)count;
}

Test(queue, gives_each_item_to_one_of_the_threads_that_share_it)
{
	static struct number numbers[SHARED];
	pthread_t threads[SHARERS];
	struct queue *queue = queue_new(false);
	size_t taken = 0;
	for (size_t i = 0; i < SHARERS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, count_what_it_takes, queue), 0);
	for (size_t i = 0; i < SHARED; i++)
		queue_put(queue, &numbers[i].item);
	queue_close(queue);
	for (size_t i = 0; i < SHARERS; i++) {
		void *count;
		(void)pthread_join(threads[i], &count);
		taken += (uintptr_t)count;
	}
	cr_expect_eq(taken, (size_t)SHARED);
	for (size_t i = 0; i < SHARED; i++)
		cr_expect_eq(numbers[i].value, 1);
	queue_free(queue);
}

Test(queue, has_a_descriptor_that_is_readable_while_items_wait)
{
	struct number numbers[2];
	struct queue *queue = queue_new(true);
	cr_expect_not(readable(queue));
	for (int i = 0; i < 3; i++) {
		queue_put(queue, &numbers[0].item);
		queue_put(queue, &numbers[1].item);
		cr_expect(readable(queue));
		cr_expect_not_null(queue_take(queue, false));
		cr_expect_not(readable(queue));
	}
	queue_free(queue);
}

Test(queue, tells_a_taker_that_has_stopped_looking)
{
	struct number numbers[2];
	struct queue *queue = queue_new(true);
	for (int i = 0; i < 3; i++) {
		cr_expect_null(queue_poll(queue, 0));
		cr_expect_not(readable(queue));
		queue_put(queue, &numbers[0].item);
		queue_put(queue, &numbers[1].item);
		cr_expect(readable(queue));
		cr_expect_eq(queue_poll(queue, 0), &numbers[0].item);
		cr_expect_eq(numbers[0].item.next, &numbers[1].item);
		cr_expect_null(queue_take(queue, false));
		cr_expect_not(readable(queue));
	}
	queue_free(queue);
}

Test(queue, gives_what_is_left_when_it_was_closed_and_then_null)
{
	struct number number = {.value = 1};
	struct queue *queue = queue_new(false);
	queue_put(queue, &number.item);
	queue_close(queue);
	cr_expect_eq(queue_take(queue, true), &number.item);
	cr_expect_null(queue_take(queue, true));
	cr_expect_null(queue_take(queue, true));
	queue_free(queue);
}

static void *take_until_closed(void *queue)
{
	return queue_take(queue, true);
}

Test(queue, wakes_a_waiting_taker_when_it_is_closed, .timeout = 20)
{
	pthread_t taker;
	void *taken = &taker;
	struct queue *queue = queue_new(false);
	cr_assert_eq(pthread_create(&taker, NULL, take_until_closed, queue), 0);
	queue_close(queue);
	cr_assert_eq(pthread_join(taker, &taken), 0);
	cr_expect_null(taken);
	queue_free(queue);
}

enum { PRODUCERS = 8, ITEMS = 5000 };

struct producer {
	pthread_t thread;
	struct queue *queue;
	struct number numbers[ITEMS];
};

static void *produce(void *context)
{
	struct producer *producer = context;
	for (size_t i = 0; i < ITEMS; i++)
		queue_put(producer->queue, &producer->numbers[i].item);
	return NULL;
}

/* Counts the items of a batch; those of one producer must come in its order. */
static size_t count_batch(struct queue_item *item, size_t next[PRODUCERS])
{
	size_t count = 0;
	for (; item != NULL; item = item->next) {
		const struct number *number = number_of(item);
		cr_assert_eq(number->value, next[number->producer]);
		next[number->producer]++;
		count++;
	}
	return count;
}

static struct queue_item *wait_for_items(struct queue *queue)
{
	return queue_take(queue, true);
}

static struct queue_item *wait_for_descriptor(struct queue *queue)
{
	struct pollfd poll_fd = {.fd = queue_fd(queue), .events = POLLIN};
	cr_assert_eq(poll(&poll_fd, 1, 10000), 1, "an item waits but nothing says so");
	return queue_take(queue, false);
}

/* Looks for items, and sleeps when it has found none. */
static struct queue_item *look_or_sleep(struct queue *queue)
{
	struct queue_item *item = queue_poll(queue, 1000);
	return item != NULL ? item : wait_for_descriptor(queue);
}

static void run_producers(struct queue *queue, struct queue_item *(*take)(struct queue *))
{
	size_t next[PRODUCERS] = {0};
	size_t count = 0;
	struct producer *producers = memory_array(PRODUCERS, sizeof *producers);
	for (size_t p = 0; p < PRODUCERS; p++) {
		producers[p].queue = queue;
		for (size_t i = 0; i < ITEMS; i++)
			producers[p].numbers[i] = (struct number){.producer = p, .value = i};
		cr_assert_eq(pthread_create(&producers[p].thread, NULL, produce, &producers[p]), 0);
	}
	while (count < (size_t)PRODUCERS * ITEMS)
		count += count_batch(take(queue), next);
	for (size_t p = 0; p < PRODUCERS; p++)
		(void)pthread_join(producers[p].thread, NULL);
	cr_expect_eq(count, (size_t)PRODUCERS * ITEMS);
	cr_expect_null(queue_take(queue, false));
	free(producers);
	queue_free(queue);
}

Test(queue, loses_nothing_of_many_producers, .timeout = 300)
{
	run_producers(queue_new(false), wait_for_items);
}

Test(queue, signals_every_item_of_many_producers, .timeout = 300)
{
	run_producers(queue_new(true), wait_for_descriptor);
}

Test(queue, loses_nothing_when_its_taker_looks_or_sleeps, .timeout = 300)
{
	run_producers(queue_new(true), look_or_sleep);
}

Test(queue, that_is_null_is_freed_like_any_other)
{
	queue_free(NULL);
}
