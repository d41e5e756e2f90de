{% macro dataset_relation(dataset, state) -%}
    {#- The relation of a dataset's rows in a state, such as `examples`.

        A dataset that the variable `datasets` names is referred to, so that dbt builds it first and
        draws the line. One whose folder is there and that nobody named is looked up where it lies. -#}
    {%- if dataset in var('datasets') -%}
        {{- return(ref(dataset ~ '_' ~ state)) -}}
    {%- endif -%}
    {%- set node = graph.nodes['model.' ~ project_name ~ '.' ~ dataset ~ '_' ~ state] -%}
    {{- return(api.Relation.create(node.database, node.schema, node.alias)) -}}
{%- endmacro %}
