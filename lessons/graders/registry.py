"""Every check, question and probe type, one line each, and the validators that course files use.

For ``lessons.content``: each validator takes the mapping exactly as YAML gave it and
returns the normalised spec with the faults found (spec is None when there is a fault):

    validate_vars(raw)            -> (tuple[VarSpec, ...], [Fault])     raw: the value of ``vars``
    validate_probe(raw, scope)    -> (ProbeSpec | None, [Fault])        one entry of ``probes``
    validate_check(raw, scope)    -> (CheckSpec | None, [Fault])        one entry of ``checks``
    validate_question(raw, scope) -> (CheckSpec | None, [Fault])        one entry of ``questions``; prompt -> title, why -> message

``Fault(path, message, fix)``: ``path`` is a tuple of keys and indices inside ``raw``. ``Scope``
holds the kind, the ids and types of the exercise's probes and the names of its vars.
The validators also report unknown keys, unknown probe ids and every ``{{name}}`` that is not
among the vars. Left to content: that ids are unique, that the environment exists, that files
named by checks are among the starter's, line numbers.
"""
