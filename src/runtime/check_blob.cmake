# The runtime must stand alone: no undefined symbols, no writable data.
execute_process(COMMAND ${NM} -u ${FILE} OUTPUT_VARIABLE undefined)
if(NOT undefined STREQUAL "")
  message(FATAL_ERROR "the runtime has undefined symbols:\n${undefined}")
endif()
execute_process(COMMAND ${NM} ${FILE} OUTPUT_VARIABLE symbols)
string(REPLACE " d _DYNAMIC" "" symbols "${symbols}")  # made by the linker, not loaded
string(REGEX MATCH " [DdBb] [^\n]*" writable "${symbols}")
if(writable)
  message(FATAL_ERROR "the runtime has writable data:${writable}")
endif()
