ss_plugin(agents attempts)
