target_sources(unit_agents_billing PRIVATE ${CMAKE_SOURCE_DIR}/plugins/agents/billing/billing.c
	${CMAKE_SOURCE_DIR}/plugins/common/specialist.c ${CMAKE_SOURCE_DIR}/tests/support/fake_host.c
	${CMAKE_SOURCE_DIR}/tests/support/fake_host_functions.c)
