{% macro kept_count(ingested_relation) -%}
    {#- SQL expression: how many records of a source were kept. -#}
    (select sum(n_rows) from {{ ingested_relation }} where outcome = 'kept')
{%- endmacro %}
