{% macro kept_records(source_relation, ingested_relation) -%}
    {#- The relation that holds exactly the kept records of a source: the source's files scanned as
        text, without the lines that `*_ingested` names as rejected. In a unit test, whose source is
        a fixture, it is the fixture. -#}
    {%- if not source_relation.external -%}
        {{ source_relation }}
    {%- elif execute -%}
        {%- set ingested = ingested_relation.identifier -%}
        {%- set node = graph.nodes['model.' ~ project_name ~ '.' ~ ingested] -%}
        {%- set dataset = ingested | replace('_ingested', '') -%}
        {%- set location = node.config.meta.ingest.location | replace("'", "''") -%}
        {%- set scan = "query(kept_sql('" ~ dataset ~ "', '" ~ location ~ "', '" ~ ingested_relation ~ "'))" -%}
        {%- if flags.EMPTY -%}
            (select * from {{ scan }} where false limit 0)
        {%- else -%}
            {{ scan }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
