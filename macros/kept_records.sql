{% macro kept_records(source_relation, ingested_relation) -%}
    {#- The relation that holds exactly the kept records of a source: the source's files scanned as
        text, without the lines that `*_ingested` names as rejected. It is an error to read it when
        the files, or the rules for them, are no longer those of `*_ingested`. In a unit test, whose
        source is a fixture, it is the fixture; in an --empty run it is the emptied source. -#}
    {%- if not source_relation.external or flags.EMPTY -%}
        {{ source_relation }}
    {%- elif execute -%}
        {%- set ingested = ingested_relation.identifier -%}
        {%- set config = graph.nodes['model.' ~ project_name ~ '.' ~ ingested].config.meta.ingest -%}
        {%- set arguments = [
            ingested | replace('_ingested', ''),
            config.location | replace("'", "''"),
            ingested_relation,
            local_md5(tojson(config, sort_keys=true)),
        ] -%}
        query(kept_sql('{{ arguments | join("', '") }}'))
    {%- endif -%}
{%- endmacro %}
