with drawn as (

    {{ stratified_sample(
        ref('stg_tickets'),
        stratum='ticket_type',
        key='ticket_id',
        columns=[
            'ticket_type', 'ticket_subject', 'product_purchased', 'ticket_channel',
            'ticket_description', 'resolution', 'customer_name', 'customer_email',
        ],
        n_per_stratum=var('sample_per_class'),
        seed=var('sample_seed'),
    ) }}

),

final as (

    {{ with_row_ids(
        'drawn',
        dataset='tickets',
        columns=[
            'ticket_type', 'ticket_subject', 'product_purchased', 'ticket_channel',
            'ticket_description', 'resolution',
        ],
        subject='customer_email',
        carried=['customer_name', 'customer_email'],
    ) }}

)

select * from final
