# Names the values of enumerations that have no comment, of which Doxygen does not warn, from its XML.
/<compoundname>/ { file = text($0) }
/<enumvalue / { within = 1; described = 0 }
within && /<name>/ { name = text($0) }
within && /<para>/ { described = 1 }
/<\/enumvalue>/ {
	within = 0
	if (described)
		next
	print "include/smartsupport/" file ": " name " is not documented." > "/dev/stderr"
	missing = 1
}

function text(line)
{
	gsub(/^[^>]*>|<.*$/, "", line)
	return line
}

END { exit missing }
