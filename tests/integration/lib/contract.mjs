// Whether replies are what the OpenAPI document says: their status, Content-Type, headers and body.
import assert from 'node:assert/strict';
import Ajv from 'ajv/dist/2020.js';

// What the document's formats demand, as far as a reply could get it wrong.
const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const formats = {
	'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/,
	'conversation-id': new RegExp(`^conv_${uuid}$`),
	'turn-id': new RegExp(`^turn_${uuid}$`),
	'article-id': /^[a-z0-9-]+$/,
	'uri-reference': (text) => URL.canParse(text, 'http://127.0.0.1/'),
};

// The Content-Type of HEADERS without its parameters.
export function mediaType(headers) {
	return headers['content-type']?.split(';')[0].trim();
}

// Whether PART of a path is one that no path has.
function isOdd(part) {
	try {
		return ['.', '..'].includes(decodeURIComponent(part)) || decodeURIComponent(part).includes('\0');
	} catch {
		return true;
	}
}

export class Contract {
	constructor(document) {
		this.document = document;
		this.extensions = new Set();
		this.ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true, allowUnionTypes: true });
		this.#knowVocabulary(document);
		for (const name of this.extensions) this.ajv.addKeyword(name);
		this.named = this.#local(document.components.schemas);
		this.operations = Object.entries(document.paths).flatMap(([path, item]) =>
			Object.entries(item)
				.filter(([, value]) => value.operationId)
				.map(([method, value]) => ({ ...value, path, method: method.toUpperCase() })),
		);
		this.validators = new Map();
		this.seen = new Set(); // "operationId status"
	}

	// Formats that this file does not know are for requests; members of OpenAPI and x- members tell nothing to check.
	#knowVocabulary(value) {
		for (const [key, part] of Object.entries(value)) {
			if (key === 'format' && typeof part === 'string' && !this.ajv.formats[part]) this.ajv.addFormat(part, formats[part] ?? true);
			if (key.startsWith('x-')) this.extensions.add(key);
			if (typeof part === 'object' && part !== null) this.#knowVocabulary(part);
		}
	}

	// What {$ref} stands for.
	follow(value) {
		if (value?.$ref === undefined) return value;
		return value.$ref.slice(2).split('/').reduce((part, name) => part[name], this.document);
	}

	// The operation that METHOD and ROUTE (with a query, perhaps) ask for.
	find(method, route) {
		const encoded = route.split('?')[0].split('/');
		if (encoded.some((part) => isOdd(part))) return undefined;
		const parts = encoded.map((part) => decodeURIComponent(part));
		const matches = this.operations.filter((operation) => {
			const pattern = operation.path.split('/');
			const same = pattern.length === parts.length && pattern.every((part, i) => part === parts[i] || (part[0] === '{' && parts[i] !== ''));
			return same && operation.method === (method === 'HEAD' ? 'GET' : method);
		});
		// What is written out goes before a parameter.
		return matches.sort((a, b) => (a.path.replaceAll(/\{[^}]*\}/g, '\uffff') < b.path.replaceAll(/\{[^}]*\}/g, '\uffff') ? -1 : 1))[0];
	}

	// SCHEMA with references that hold in a schema by itself.
	#local(schema) {
		return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/schemas/', '"#/$defs/'));
	}

	// The examples of MEDIA, a part of the document.
	examplesOf(media) {
		if (media.examples) return Object.values(media.examples).map((example) => example.value);
		return media.example === undefined ? (this.follow(media.schema).examples ?? []) : [media.example];
	}

	// The parameters of OPERATION, in a place (as "query") or all.
	parametersOf(operation, place) {
		return (operation.parameters ?? []).map((one) => this.follow(one)).filter((one) => place === undefined || one.in === place);
	}

	// A path of OPERATION, with the examples of its parameters.
	pathOf(operation, values = {}) {
		return operation.path.replaceAll(/\{(\w+)\}/g, (_, name) => {
			const parameter = this.parametersOf(operation).find((one) => one.name === name);
			const schema = this.follow(parameter.schema);
			const value = values[name] ?? parameter.example ?? schema.examples?.[0];
			assert.notEqual(value, undefined, `the parameter ${name} of ${operation.operationId} has no example`);
			return encodeURIComponent(value);
		});
	}

	// The examples of bodies of OPERATION: {type, body}.
	bodiesOf(operation) {
		const content = operation.requestBody ? this.follow(operation.requestBody).content : {};
		return Object.entries(content).flatMap(([type, media]) => this.examplesOf(media).map((body) => ({ type, body })));
	}

	// Whether the reply to OPERATION is a stream that goes on until the client leaves.
	isEndless(operation) {
		const types = Object.keys(this.follow(operation.responses[200])?.content ?? {});
		return types.length === 1 && types[0] === 'text/event-stream';
	}

	// A function that tells whether a value fits SCHEMA, a part of the document.
	validator(schema) {
		if (!this.validators.has(schema))
			this.validators.set(schema, this.ajv.compile({ ...this.#local(schema), $defs: this.named }));
		return this.validators.get(schema);
	}

	#bodyMistakes(response, reply) {
		const type = mediaType(reply.headers);
		if (!response.content) return reply.text === '' ? [] : ['it has a body, and the document none'];
		if (!response.content[type]) return [`the document does not have the type ${type}`];
		if (!/json$/.test(type) || reply.headers['content-encoding']) return [];
		if (reply.json === undefined) return ['the body is not JSON'];
		const fits = this.validator(response.content[type].schema);
		return fits(reply.json) ? [] : fits.errors.map((error) => `${error.instancePath || '/'} ${error.message}`);
	}

	// What is wrong with REPLY to METHOD ROUTE: sentences, none when nothing is.
	mistakes(method, route, reply) {
		const operation = this.find(method, route);
		const declared = operation?.responses[reply.status];
		if (operation === undefined) return this.#problemMistakes(method, reply);
		if (declared === undefined) return [`the document has no ${reply.status} of ${operation.operationId}`];
		this.seen.add(`${operation.operationId} ${reply.status}`);
		const response = this.follow(declared);
		const headers = Object.entries(response.headers ?? {})
			.filter(([name, header]) => this.follow(header).required && reply.headers[name.toLowerCase()] === undefined)
			.map(([name]) => `it lacks the header ${name}`);
		return headers.concat(method === 'HEAD' ? [] : this.#bodyMistakes(response, reply));
	}

	// Of a request that is for no operation.
	#problemMistakes(method, reply) {
		if (method === 'OPTIONS' || method === 'HEAD') return [];
		if (reply.status < 400) return [`there is no such operation, and it answers ${reply.status}`];
		return this.#bodyMistakes(this.document.components.responses.BadRequest, reply);
	}
}
