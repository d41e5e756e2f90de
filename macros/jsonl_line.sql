{% macro jsonl_line(messages) -%}
    {#- One line of a chat fine-tuning file, without its newline. -#}
    '{"messages": ' || {{ messages }} || '}'
{%- endmacro %}
