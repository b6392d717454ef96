target_sources(unit_agents_escalation PRIVATE ${CMAKE_SOURCE_DIR}/plugins/agents/escalation/escalation.c
	${CMAKE_SOURCE_DIR}/plugins/agents/escalation/summary.c ${CMAKE_SOURCE_DIR}/plugins/common/pending.c)
