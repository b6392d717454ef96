ss_plugin(agents priority LINK m)
