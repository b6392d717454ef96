// Waiting for conditions. No test sleeps for a fixed time and hopes.

export const patience = Number(process.env.SMARTSUPPORT_TEST_PATIENCE ?? 120) * 1000;

export function pause(ms) {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

// Calls CONDITION again and again until it gives something true, which is returned.
export async function until(what, condition, limit = patience) {
	const end = Date.now() + limit;
	for (;;) {
		const value = await condition();
		if (value) return value;
		if (Date.now() > end) throw new Error(`${what}: not within ${limit / 1000} s`);
		await pause(10);
	}
}

// PROMISE, or an error when it takes longer than LIMIT.
export async function within(what, promise, limit = patience) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`${what}: not within ${limit / 1000} s`)), limit);
	});
	try {
		return await Promise.race([promise, late]);
	} finally {
		clearTimeout(timer);
	}
}
