# Writes OUTPUT, a C file with the texts of FOLDER/NNNN_name.sql, as migrations.h declares them. Run by
# the build: cmake -DFOLDER=… -DOUTPUT=… -P embed_migrations.cmake
file(GLOB files ${FOLDER}/*.sql)
list(SORT files)
set(version 0)
set(texts "")
set(rows "")
foreach(file ${files})
	math(EXPR version "${version} + 1")
	get_filename_component(base ${file} NAME_WE)
	if(NOT base MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)$")
		message(FATAL_ERROR "${file}: migrations are named NNNN_name.sql, as in 0001_initial.sql")
	endif()
	set(number ${CMAKE_MATCH_1})
	set(name ${CMAKE_MATCH_2})
	string(REGEX REPLACE "^0+" "" plain "${number}")
	if(NOT plain STREQUAL version)
		message(FATAL_ERROR "${file}: migrations count from 0001 without gaps; this one must be number ${version}")
	endif()
	file(READ ${file} bytes HEX)
	file(SHA256 ${file} sha256)
	string(REGEX REPLACE "(................................)" "\\1\n\t" bytes "${bytes}")
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
	string(APPEND texts "static const unsigned char text_${number}[] = {\n\t${bytes}0x00};\n\n")
	string(APPEND rows "\t{${version}, \"${name}\", \"${sha256}\", (const char *)text_${number}},\n")
endforeach()
if(version EQUAL 0)
	message(FATAL_ERROR "${FOLDER}: has no migrations")
endif()
file(WRITE ${OUTPUT} "/* Made by embed_migrations.cmake from the files in migrations/. */
#include \"common/sql/migrations.h\"

${texts}const struct migration migrations[] = {
${rows}};

const size_t migrations_count = sizeof migrations / sizeof *migrations;
")
