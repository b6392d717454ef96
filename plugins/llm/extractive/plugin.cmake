ss_plugin(llm extractive)
