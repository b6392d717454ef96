// A small strict XML reader, for pictures: elements, attributes, text, comments and references; anything
// that is not well-formed throws.

const named = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const opening = /<([A-Za-z_][\w:.-]*)((?:\s+[A-Za-z_][\w:.-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const closing = /<\/([A-Za-z_][\w:.-]*)\s*>/y;
const skipped = /<\?[^]*?\?>|<!--(?:(?!--)[^])*-->|<!DOCTYPE[^>[]*>/y;
const plain = /[^<]+/y;

function decode(text) {
	if (/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(text)) throw new Error('a character that XML does not have');
	return text.replace(/&([^;&]*)(;?)/g, (whole, name, end) => {
		const code = /^#(?:x([\da-fA-F]+)|(\d+))$/.exec(name);
		if (end === '' || (!code && !Object.hasOwn(named, name))) throw new Error(`${whole} is no reference`);
		return code ? String.fromCodePoint(code[1] ? parseInt(code[1], 16) : Number(code[2])) : named[name];
	});
}

function readAttributes(text) {
	const attributes = new Map();
	for (const [, name, quoted] of text.matchAll(/([\w:.-]+)\s*=\s*("[^"]*"|'[^']*')/g)) {
		if (attributes.has(name)) throw new Error(`the attribute ${name} is given twice`);
		attributes.set(name, decode(quoted.slice(1, -1)));
	}
	return attributes;
}

// The root element of TEXT: {name, attributes, children}; children are elements and strings.
export function parseXml(text) {
	const document = { name: '', attributes: new Map(), children: [] };
	const open = [document];
	for (let at = 0; at < text.length; ) {
		const match = (pattern) => ((pattern.lastIndex = at), pattern.exec(text));
		const parent = open.at(-1);
		let found;
		if ((found = match(opening))) {
			const element = { name: found[1], attributes: readAttributes(found[2]), children: [] };
			parent.children.push(element);
			if (!found[3]) open.push(element);
		} else if ((found = match(closing))) {
			if (open.pop().name !== found[1]) throw new Error(`</${found[1]}> closes nothing`);
		} else if ((found = match(plain))) {
			parent.children.push(decode(found[0]));
		} else if (!(found = match(skipped))) {
			throw new Error(`not well-formed at ${text.slice(at, at + 60)}`);
		}
		at += found[0].length;
	}
	const roots = document.children.filter((child) => typeof child !== 'string' || child.trim() !== '');
	if (open.length !== 1 || roots.length !== 1 || typeof roots[0] === 'string') throw new Error('there is not one root element');
	return roots[0];
}

export function attribute(element, name) {
	return element.attributes.get(name);
}

// All elements inside ELEMENT, at any depth, that PREDICATE takes.
export function elements(element, predicate) {
	return element.children
		.filter((child) => typeof child !== 'string')
		.flatMap((child) => [...(predicate(child) ? [child] : []), ...elements(child, predicate)]);
}

export function textOf(element) {
	return element.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');
}
