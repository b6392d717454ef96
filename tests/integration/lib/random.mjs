// Values and mistakes by chance, the same ones for the same seed.

// Numbers from 0 to below 1 (mulberry32).
export function generator(seed) {
	let state = seed >>> 0;
	const next = () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
	const random = {
		chance: (share) => next() < share,
		below: (limit) => Math.floor(next() * limit),
		between: (least, most) => least + Math.floor(next() * (most - least + 1)),
		pick: (list) => list[Math.floor(next() * list.length)],
	};
	return random;
}

const letters = ['a', 'Z', '7', ' ', '.', '?', '\n', '\t', '"', '\\', '/', '<', '%', '&', "'", '{', 'é', 'ß', 'ا', '字', '\u200d', '\u202e', '😀', '🇩🇪', '\u0301', '\ufeff', '\u0001'];

// LENGTH characters, of which at least one is no blank.
function text(random, length) {
	let made = length > 0 ? 'x' : '';
	for (let i = 1; i < length; i++) made += random.pick(letters);
	return [...made].slice(0, length).join('');
}

const longest = 300; // of texts that have no limit

export class Values {
	// FOLLOW resolves references; KNOWN gives values for formats.
	constructor(random, follow, known) {
		Object.assign(this, { random, follow, known });
	}

	// A value that fits SCHEMA.
	good(given) {
		const schema = this.follow(given);
		const { random } = this;
		if (schema.enum) return random.pick(schema.enum);
		if (schema.anyOf) return this.good(random.pick(schema.anyOf));
		const type = Array.isArray(schema.type) ? random.pick(schema.type) : schema.type;
		switch (type) {
			case 'object':
				return this.#object(schema);
			case 'array': {
				const count = random.pick([schema.minItems ?? 0, Math.min(schema.maxItems ?? 5, 5), random.between(schema.minItems ?? 0, 3)]);
				return Array.from({ length: Math.max(count, schema.minItems ?? 0) }, () => this.good(schema.items ?? {}));
			}
			case 'string':
				return this.#string(schema);
			case 'integer':
			case 'number':
				return this.#number(schema);
			case 'boolean':
				return random.chance(0.5);
			case 'null':
				return null;
			default:
				return random.pick([null, true, 7, 'x', [], {}]);
		}
	}

	#object(schema) {
		const properties = Object.entries(schema.properties ?? {});
		const required = schema.required ?? [];
		const made = {};
		for (const [name, property] of properties)
			if (required.includes(name) || this.random.chance(0.5)) made[name] = this.good(property);
		for (const [name, property] of properties)
			if (Object.keys(made).length < (schema.minProperties ?? 0)) made[name] ??= this.good(property);
		return made;
	}

	#string(schema) {
		if (this.known[schema.format]) return this.random.pick(this.known[schema.format]);
		const least = schema.minLength ?? 0;
		// What may be very long seldom is: that takes the server long to read.
		const most = schema.maxLength > 5000 && this.random.chance(0.98) ? longest : (schema.maxLength ?? longest);
		return text(this.random, this.random.pick([least, most, Math.min(most, least + 1), this.random.between(least, Math.min(most, longest))]));
	}

	#number(schema) {
		const [least, most] = [schema.minimum ?? -1000, schema.maximum ?? (schema.minimum ?? 0) + 1000];
		return this.random.pick([least, most, this.random.between(Math.ceil(least), Math.floor(most))]);
	}

	// A value that does not fit SCHEMA, or undefined when this time none was found.
	bad(given) {
		const schema = this.follow(given);
		const { random } = this;
		const types = [schema.type ?? []].flat();
		const others = { object: { a: 1 }, array: [1], string: 'x', number: 1.5, boolean: true, null: null };
		const wrong = Object.keys(others).filter((name) => types.length > 0 && !schema.enum && !types.includes(name) && !(name === 'number' && types.includes('integer')));
		const mistakes = wrong.map((name) => () => others[name]);
		if (schema.enum) mistakes.push(() => 'none of them', () => ({}), () => 1e9);
		if (types.includes('integer') && types.length === 1) mistakes.push(() => 1.5, () => 1e300);
		if (schema.minimum !== undefined) mistakes.push(() => schema.minimum - 1);
		if (schema.maximum !== undefined) mistakes.push(() => schema.maximum + 1);
		if (types.includes('string') && !schema.enum) {
			if (schema.minLength > 0) mistakes.push(() => '');
			if (schema.maxLength) mistakes.push(() => text(random, schema.maxLength + 1));
			if (schema.format === 'text') mistakes.push(() => ' \n\u200b');
			if (this.known[schema.format]) mistakes.push(() => 'not of this form', () => `${random.pick(this.known[schema.format])}!`);
			mistakes.push(() => 'a\u0000b');
		}
		if (types.includes('array')) {
			if (schema.maxItems) mistakes.push(() => Array.from({ length: schema.maxItems + 1 }, () => this.good(schema.items ?? {})));
			if (schema.minItems) mistakes.push(() => []);
			const item = schema.items && this.bad(schema.items);
			if (item !== undefined) mistakes.push(() => [item]);
		}
		if (types.includes('object')) mistakes.push(...this.#badObjects(schema));
		return mistakes.length > 0 ? random.pick(mistakes)() : undefined;
	}

	#badObjects(schema) {
		const mistakes = [];
		const whole = () => this.#object(schema);
		for (const name of schema.required ?? []) mistakes.push(() => ({ ...whole(), [name]: undefined }));
		if (schema.additionalProperties === false) mistakes.push(() => ({ ...whole(), surplus: 1 }), () => ({ ...whole(), ['x'.repeat(5000)]: null }));
		if (schema.minProperties > (schema.required ?? []).length)
			mistakes.push(() => Object.fromEntries((schema.required ?? []).map((name) => [name, this.good(schema.properties[name])])));
		for (const [name, property] of Object.entries(schema.properties ?? {})) {
			mistakes.push(() => {
				const value = this.bad(property);
				return value === undefined ? undefined : { ...whole(), [name]: value };
			});
		}
		return mistakes;
	}
}
