{% macro subject_hmac(dataset, column) -%}
    {#- Who a row is of, as `sealtune trace` looks people up: a keyed hash, null where it is nobody's. -#}
    keyed_hmac('{{ dataset }}.subject', {{ column }}::varchar)
{%- endmacro %}
