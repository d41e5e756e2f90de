{% macro readable(scrubbed) -%}
    {#- The rows of a scrubbed relation whose texts could be read; build_summary counts the others. -#}
    (select * from {{ scrubbed }} where n_unreadable = 0)
{%- endmacro %}
