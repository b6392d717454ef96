# What the plugins for SQL databases share.
set(SQL_SOURCES
	${CMAKE_CURRENT_LIST_DIR}/sql/analytics.c
	${CMAKE_CURRENT_LIST_DIR}/sql/commit.c
	${CMAKE_CURRENT_LIST_DIR}/sql/conversations.c
	${CMAKE_CURRENT_LIST_DIR}/sql/deliveries.c
	${CMAKE_CURRENT_LIST_DIR}/sql/documents.c
	${CMAKE_CURRENT_LIST_DIR}/sql/erase.c
	${CMAKE_CURRENT_LIST_DIR}/sql/events.c
	${CMAKE_CURRENT_LIST_DIR}/sql/feedback.c
	${CMAKE_CURRENT_LIST_DIR}/sql/figures.c
	${CMAKE_CURRENT_LIST_DIR}/sql/journal.c
	${CMAKE_CURRENT_LIST_DIR}/sql/migrations.c
	${CMAKE_CURRENT_LIST_DIR}/sql/place.c
	${CMAKE_CURRENT_LIST_DIR}/sql/purge.c
	${CMAKE_CURRENT_LIST_DIR}/sql/read.c
	${CMAKE_CURRENT_LIST_DIR}/sql/requests.c
	${CMAKE_CURRENT_LIST_DIR}/sql/rows.c
	${CMAKE_CURRENT_LIST_DIR}/sql/turns.c
	${CMAKE_CURRENT_LIST_DIR}/sql/users.c
	${CMAKE_CURRENT_LIST_DIR}/sql/verify.c
	${CMAKE_CURRENT_LIST_DIR}/sql/watch.c)

# The migrations are part of the plugin's file: storage_<name>_migrations, a library of its own, so that the tests link
# it as well.
function(ss_sql_migrations name)
	set(folder ${CMAKE_SOURCE_DIR}/plugins/storage/${name}/migrations)
	set(embed ${CMAKE_SOURCE_DIR}/plugins/common/sql/embed_migrations.cmake)
	set(source ${CMAKE_CURRENT_BINARY_DIR}/storage/${name}_migrations.c)
	set(target storage_${name}_migrations)
	file(GLOB migrations CONFIGURE_DEPENDS ${folder}/*.sql)
	add_custom_command(OUTPUT ${source}
		COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} -DOUTPUT=${source} -P ${embed}
		DEPENDS ${migrations} ${embed}
		VERBATIM)
	add_library(${target} STATIC ${source})
	target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/include ${CMAKE_CURRENT_SOURCE_DIR})
	target_link_libraries(${target} PRIVATE ss_flags)
	set_target_properties(${target} PROPERTIES
		POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
endfunction()
