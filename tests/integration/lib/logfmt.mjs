// Reads lines of the server's log: time=… level=… pid=… name="value" message="…".

const field = /([A-Za-z_][\w.]*)=("(?:[^"\\]|\\.)*"|\S*)/gy;

function unquote(text) {
	return text[0] === '"' ? JSON.parse(text) : text;
}

// The fields of LINE as an object, or null when it is no line of the log.
export function parseLine(line) {
	const fields = {};
	if (!line.startsWith('time=')) return null;
	field.lastIndex = 0;
	for (let match; (match = field.exec(line)) !== null; ) {
		try {
			fields[match[1]] = unquote(match[2]);
		} catch {
			return null;
		}
		if (line[field.lastIndex] === ' ') field.lastIndex++;
	}
	return fields;
}
