target_sources(unit_agents_billing PRIVATE ${CMAKE_SOURCE_DIR}/plugins/agents/billing/billing.c
	${CMAKE_SOURCE_DIR}/plugins/common/specialist.c)
