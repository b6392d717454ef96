# Writes OUTPUT, a C file with the files of FOLDER that are named like PATTERN as the table NAME, which embedded.h
# declares. Run by the build: cmake -DFOLDER=… -DPATTERN=… -DNAME=… -DOUTPUT=… -P embed.cmake
file(GLOB files ${FOLDER}/${PATTERN})
list(SORT files)
set(number 0)
set(texts "")
set(rows "")
foreach(file ${files})
	get_filename_component(name ${file} NAME)
	file(READ ${file} bytes HEX)
	string(REGEX REPLACE "(................................)" "\\1\n\t" bytes "${bytes}")
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
	string(APPEND texts "static const unsigned char text_${number}[] = {\n\t${bytes}0x00};\n\n")
	string(APPEND rows "\t{\"${name}\", (const char *)text_${number}, sizeof text_${number} - 1},\n")
	math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUTPUT} "/* Made by embed.cmake from files. */
#include \"api/embedded.h\"

${texts}const struct embedded_file ${NAME}[] = {
${rows}};

const size_t ${NAME}_count = ${number};
")
