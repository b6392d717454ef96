target_sources(unit_agents_escalation_check PRIVATE
	${CMAKE_SOURCE_DIR}/plugins/agents/escalation_check/escalation_check.c
	${CMAKE_SOURCE_DIR}/plugins/common/keywords.c)
