ss_plugin(agents kb_retriever)
