ss_plugin(agents assign)
