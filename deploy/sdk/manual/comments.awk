# Turns the comments of a header into ones that Doxygen reads. The headers are written for who reads them as they are:
#
#     /* Before what it is about. */
#     int member; /* Behind it, on its line. */
#
#     /* Alone: about all that follows, up to the next such one or the end of the structure. */
#
# The first one of a file is about the file. No line is added, so messages of Doxygen name the lines of the header.

{ lines[NR] = $0 }

# The text of the comment on the lines FROM to TO, on one line. Examples of code would be lost: see is_section().
function text_of(from, to, text, i, line)
{
	for (i = from; i <= to; i++) {
		line = lines[i]
		gsub(/^[ \t]*\/?\*+\/?[ \t]*|[ \t]*\*\/$/, "", line)
		text = text (text != "" && line != "" ? " " : "") line
	}
	return text
}

# The last line of the comment that begins on the line FROM.
function end_of(from, i)
{
	for (i = from; i < NR && lines[i] !~ /\*\//; i++)
		;
	return i
}

# Whether what follows the line AT is a structure or the like, which Doxygen takes into no group.
function before_types(at)
{
	for (at++; at <= NR && (lines[at] ~ /^[ \t]*$/ || lines[at] ~ /^[ \t]*\/?\*/); at++)
		;
	return lines[at] ~ /^(struct|enum) [a-z_]+( \{|;)/
}

# The comment on the lines FROM to TO, which stands alone, as a heading: its first sentence is the title.
function print_section(from, to, text, end, i)
{
	text = text_of(from, to)
	if (lines[to + 1] ~ /^[ \t]*$/ && !inside && before_types(to)) {
		printf "/** @file\n"
		for (i = from; i < to; i++)
			print (i == from ? text " */" : "")
		return
	}
	end = match(text, /\.( |$)/) ? RSTART : length(text) + 1
	printf "%s/** @name %s", (group ? "/**@}*/ " : ""), substr(text, 1, end - 1)
	print "\n" substr(text, end + 1) " */ /**@{*/"
	for (i = from + 2; i <= to; i++)
		print ""
	group = 1
}

END {
	for (i = 1; i <= NR; i++) {
		line = lines[i]
		if (line ~ /^[ \t]*\/\*/) {
			end = end_of(i)
			if (i == 1)
				sub(/\*\/$/, "@file */", lines[end])
			else if (lines[end + 1] ~ /^[ \t]*$/) {
				print_section(i, end)
				i = end
				continue
			}
			line = lines[i]
			sub(/\/\*/, "/**", line)
			print line
			while (i < end)
				print lines[++i]
			continue
		}
		# Doxygen passes over a type that only others look into.
		if (line ~ /^struct [a-z_]+;$/ && lines[i - 1] ~ /\*\/$/)
			sub(/;$/, " {};", line)
		if (line ~ /^\tsize_t struct_size;$/)
			line = line " /* bytes of this structure, as who fills it knows it */"
		sub(/\/\*/, "/**<", line)
		begins = line ~ /^(struct|enum) .*\{$/
		if (begins || line ~ /^};/ || line ~ /^SS_END_C/) {
			inside = begins
			if (group)
				line = "/**@}*/ " line
			group = 0
		}
		print line
	}
}
