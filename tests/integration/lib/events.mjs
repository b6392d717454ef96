// Reads event streams as a client does.

// The events in TEXT: {name, data} and the id if there is one, with data as JSON where it is any. Comments are passed over, and so is what
// follows the last empty line: an event that has not wholly arrived.
export function parseEvents(text) {
	const arrived = text.slice(0, text.lastIndexOf('\n\n') + 1);
	const events = [];
	let [name, data, id] = [undefined, []];
	for (const line of arrived.split('\n')) {
		if (line === '') {
			if (data.length > 0) events.push({ name, data: parsed(data.join('\n')), ...(id === undefined ? {} : { id }) });
			[name, data, id] = [undefined, []];
		} else if (line.startsWith('event: ')) {
			name = line.slice('event: '.length);
		} else if (line.startsWith('data: ')) {
			data.push(line.slice('data: '.length));
		} else if (line.startsWith('id: ')) {
			id = line.slice('id: '.length);
		} else if (!line.startsWith(':') && !/^retry: \d+$/.test(line)) {
			throw new Error(`no line of an event: ${line}`);
		}
	}
	return events;
}

function parsed(text) {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}

// What a client has shown when EVENTS are over.
export function pieces(events) {
	return events.reduce((shown, { name, data }) => {
		if (name === 'replace') return '';
		return name === 'token' ? shown + data.text : shown;
	}, '');
}
