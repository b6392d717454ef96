ss_plugin(agents respond)
