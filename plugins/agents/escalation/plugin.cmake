ss_plugin(agents escalation)
